"""The programs of README.md and docs/usage.md run and print what the pages show."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS_DEPLOYMENT = "# Needs a deployment\n"


def programs(page):
    """The Python programs of a page, each with the output that follows it, or None."""
    blocks = re.findall(r"^```(python|text)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    following = [*blocks[1:], ("", "")]
    return [
        (text, shown if kind == "text" else None)
        for (language, text), (kind, shown) in zip(blocks, following, strict=True)
        if language == "python"
    ]


def matches(shown, printed):
    """Whether a program printed what the page shows, where `…` is any text of a line."""
    return re.fullmatch(re.escape(shown).replace("…", ".*"), printed)


def test_the_readme_runs_without_aws(tmp_path):
    ((program, shown),) = programs(ROOT / "README.md")
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == (shown, "")


def test_the_readme_is_short():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("page", ["usage.md", "buffered-logging.md"])
async def test_the_programs_of_a_page_run_in_order(monkeypatch, capsys, tmp_path, page):
    for name in ("AGENT_MEMORY_TABLE_PREFIX", "AGENT_MEMORY_ARCHIVE_BUCKET", "AGENT_MEMORY_REDIS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = {"__name__": "usage"}
    for program, shown in programs(ROOT / "docs" / page):
        code = compile(program, f"docs/{page}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if program.startswith(NEEDS_DEPLOYMENT):
            continue
        running = eval(code, names)  # noqa: S307  a program of the page
        if inspect.isawaitable(running):
            await running
        printed = capsys.readouterr().out
        assert matches(shown or "", printed), f"{program}\nprinted:\n{printed}"


def test_programs_that_need_a_deployment_are_few():
    marked = [text for text, _ in programs(ROOT / "docs" / "usage.md") if text.startswith(NEEDS_DEPLOYMENT)]
    assert len(marked) == 2


@pytest.mark.parametrize(("shown", "printed", "same"), [("a …\n", "a b\n", True), ("a …\n", "a b\nc\n", False)])
def test_an_ellipsis_stands_for_text_of_one_line(shown, printed, same):
    assert bool(matches(shown, printed)) == same
