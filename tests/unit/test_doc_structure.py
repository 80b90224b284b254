"""Pages that list parts of the project list all of them."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RECORDS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
SECTIONS = ["Context", "Decision", "Consequences"]


def field(page, name):
    return re.search(rf"^- {name}: (.+)$", page.read_text(), re.MULTILINE)[1]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_record_has_its_number_date_status_and_sections(record):
    assert re.match(r"# \d{4}: \S", record.read_text())
    assert record.read_text()[2:6] == record.stem[:4]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", field(record, "Date"))
    assert re.match(r"(accepted|superseded)\b", field(record, "Status"))
    sections = re.findall(r"^## (.+)$", record.read_text(), re.MULTILINE)
    assert [one for one in sections if one in SECTIONS] == SECTIONS


def test_decision_records_are_numbered_by_date_without_gaps():
    assert [int(record.stem[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))
    dates = [field(record, "Date") for record in RECORDS]
    assert dates == sorted(dates)


def test_the_index_lists_every_decision_record():
    listed = re.findall(r"^\| \[\d{4}\].*\|$", (DOCS / "decisions" / "README.md").read_text(), re.MULTILINE)
    assert listed == [
        f"| [{record.stem[:4]}]({record.name}) | {record.read_text().splitlines()[0][8:]} "
        f"| {field(record, 'Date')} | {field(record, 'Status')} |"
        for record in RECORDS
    ]


def test_no_superseded_record_is_still_accepted():
    for record in RECORDS:
        for number in re.findall(r"supersedes \[(\d{4})\]", field(record, "Status")):
            (earlier,) = (one for one in RECORDS if one.stem.startswith(number))
            assert field(earlier, "Status") == f"superseded by [{record.stem[:4]}]({record.name})"


def test_the_architecture_page_shows_the_layers_of_the_import_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one.get("containers") == ["agent_memory"])
    page = (DOCS / "architecture.md").read_text()
    assert "\n".join(f"    {layer}" for layer in layers) in page


@pytest.mark.parametrize("package", ["agent_memory", "trading_agents"])
def test_the_architecture_page_has_a_line_for_every_package(package):
    folders = (ROOT / "layers" / package / "python" / package).glob("*/__init__.py")
    page = (DOCS / "architecture.md").read_text()
    assert {folder.parent.name for folder in folders} <= set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))


def test_every_extra_for_users_is_on_a_page():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pages = (ROOT / "README.md").read_text() + (DOCS / "integrations.md").read_text()
    named = set(re.findall(r"`([a-z-]+)`", pages)) | set(re.findall(r"\[([a-z-]+)\]'", pages))
    assert extras.keys() - named == {"api"}, "what the functions need besides"


def test_contributing_says_how_long_a_target_takes_as_make_does():
    described = dict(re.findall(r"^([a-z-]+):.*## .*\((.+)\)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = re.findall(r"^    make ([a-z-]+) .*: (.+)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    both = {target: duration for target, duration in said if target in described}
    assert len(both) >= 3
    for target, duration in both.items():
        assert duration.startswith(described[target]), target
