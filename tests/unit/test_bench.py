"""`make bench`: what a row says, what `--quick` fails on, and that the page has every row."""

import json

import pytest

from benchmarks import benchmarks_page
from benchmarks.bench import RESULTS, SECTIONS, main, regressions
from benchmarks.measurement import Measurement


def count(ours, *, goal=25, **about):
    return Measurement(name="a page", unit="read units", ours=ours, goal=goal, is_exact=True, **about)


@pytest.mark.parametrize(
    ("row", "ratio", "met"),
    [
        (count(25), None, True),
        (count(26), None, False),
        (count(5, goal=None), None, None),
        (count(120, goal=100, at_least=True), None, True),
        (count(8, goal=0.8, goal_of="ratio", peer="boto3", of_peer=10), 0.8, True),
        (count(9, goal=0.8, goal_of="ratio", peer="boto3", of_peer=10), 0.9, False),
        (Measurement(name="a page", unit="ms", left_out="not installed"), None, None),
    ],
)
def test_a_row_knows_its_ratio_and_whether_its_goal_is_met(row, ratio, met):
    assert (row.ratio, row.met) == (ratio, met)


def test_a_row_that_was_left_out_says_why_and_nothing_else():
    row = Measurement(name="log", unit="ms", left_out="pip failed").as_dict()
    assert row == {"name": "log", "unit": "ms", "is_exact": False, "left_out": "pip failed"}


@pytest.mark.parametrize(
    ("ours", "recorded", "line"),
    [
        (25, count(10), None),
        (26, count(10), "a page: 26 read units, the goal is 25, which was met with 10"),
        (52, count(52), None),
        (30, count(52), None),
        (60, count(52), "a page: 60 read units, the goal is 25, and it was 52"),
        (26, None, "a page: 26 read units, the goal is 25, and nothing else is recorded"),
        (24, None, None),
    ],
)
def test_a_count_fails_if_it_misses_a_goal_that_it_met_or_moves_away_from_it(ours, recorded, line):
    before = [] if recorded is None else [recorded.as_dict()]
    assert regressions([count(ours)], before) == ([] if line is None else [line])


def test_a_row_that_was_left_out_is_no_regression():
    left_out = Measurement(name="a page", unit="read units", is_exact=True, left_out="no network")
    assert regressions([left_out], [count(10).as_dict()]) == []


def test_quick_fails_on_a_regression_and_writes_nothing(monkeypatch, capsys):
    before = RESULTS.read_bytes()
    (worst,) = [one for one in json.loads(before)["counts"]["rows"] if one["name"] == "log and outcome together"]
    row = Measurement(name=worst["name"], unit=worst["unit"], ours=5, goal=worst["goal"], is_exact=True)
    monkeypatch.setattr("benchmarks.exact_counts.rows", lambda: iter([row]))
    assert main(["--quick"]) == 1
    assert "log and outcome together: 5 write units, the goal is 4, which was met with 4" in capsys.readouterr().err
    assert RESULTS.read_bytes() == before


def test_an_unknown_section_is_named(capsys):
    assert main(["cuonts"]) == 2
    assert capsys.readouterr().err.startswith("unknown: cuonts; there are --quick, counts, times")


def test_the_page_is_that_of_the_results(tmp_path, monkeypatch):
    page = benchmarks_page.PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(benchmarks_page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(benchmarks_page, "PLOT", tmp_path / "plot.png")
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    benchmarks_page.write_page(results, SECTIONS)
    assert benchmarks_page.PAGE.read_text(encoding="utf-8") == page
    assert benchmarks_page.PLOT.stat().st_size > 10_000
    assert results.keys() <= SECTIONS.keys()
    assert all(row["name"] in page for section in results.values() for row in section["rows"])
