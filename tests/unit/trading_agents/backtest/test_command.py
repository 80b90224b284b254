import json
import re
import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from tests.unit.trading_agents.option_samples import daily_file, quotes
from tests.unit.trading_agents.price_samples import walk
from trading_agents.backtest.command import main
from trading_agents.backtest.study import run as run_module

# A job in the background of a shell begins with interrupts ignored, and so do its children.
INTERRUPTIBLE = """
import signal, sys
from trading_agents.backtest.command import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
HEADER = "timestamp,open,high,low,close,volume"


def written(path, bars):
    columns = (bars.time.astype(str), bars.open, bars.high, bars.low, bars.close, bars.volume)
    rows = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([HEADER, *rows]))
    return path


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A file of forty days."""
    return written(tmp_path_factory.mktemp("bars") / "short.csv", walk(24 * 40))


@pytest.fixture
def few_repeats(monkeypatch):
    """Controls and failing agents once or twice, to be quick."""
    controls, failing_agents = run_module.run_controls, run_module.simulate_failing_agents
    monkeypatch.setattr(run_module, "run_controls", lambda record: controls(record, 1))
    monkeypatch.setattr(run_module, "simulate_failing_agents", lambda record, rules: failing_agents(record, rules, 2))


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.slow
def test_a_run_with_option_chains_has_the_votes_of_the_hedge_agent(tmp_path, capsys):
    bars, chains, alone = written(tmp_path / "bars.csv", walk(24 * 60)), tmp_path / "chains.csv", tmp_path / "other.csv"
    # Dealers are short gamma throughout, and the flow buys on every other day.
    squeezes = {"puts": 2000, "call_volume": lambda day: 400 if day % 2 else 20, "first": date(2020, 1, 14)}
    chains.write_text(daily_file(quotes(40, **squeezes)))
    alone.write_text(daily_file(quotes(8)))
    arguments = ["--bars", bars, "--options", chains, "--options", alone, "--agents", "memory", "--out", tmp_path / "o"]
    assert main(list(map(str, arguments))) == 0
    output = capsys.readouterr()
    assert "chains.csv: option chains of TEST (40), 400 options" in output.err
    page = (tmp_path / "o" / "does-memory-help.md").read_text()
    joined = re.search(r"joined with (\d+) bars of (\d+) days; the Hedge agent votes for a direction on (\d+)", page)
    assert joined
    assert [int(number) for number in joined.groups()][:2] == [40 * 24, 40]
    assert int(joined.group(3)) >= 15 * 24
    assert re.search(r"^\| hedge \| \d+ \|", page, re.MULTILINE)
    assert "These agents abstain, since their features are missing: markov." in page
    assert "Hedge on chains, TEST: nothing can be said, since " in output.out
    row = next(line for line in page.splitlines() if line.startswith("| chains, TEST |"))
    assert row.startswith("| chains, TEST | 40; 40 | ")
    assert "| other, TEST | 8; 8 | " in page
    assert not re.search(r"\bnan\b", page)


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.slow
def test_a_run_writes_a_page_and_plots_and_prints_every_claim(short, tmp_path, capsys):
    long = written(tmp_path / "long.csv", walk(24 * 420, seed=8))
    out = tmp_path / "out"
    assert (
        main(["--bars", str(short), "--bars", str(long), "--costs-bp", "1", "--costs-bp", "5", "--out", str(out)]) == 0
    )
    output = capsys.readouterr()
    assert "short.csv: CSV, 960 hourly bars, 2020-01-01 00:00 to 2020-02-09 23:00, UTC assumed" in output.err
    lines = output.out.splitlines()
    claims = ["Win rate", "Sharpe ratio", "Maximum drawdown", "Trade quality"]
    excluded = "Excluded: short (27 scored days of the 250 needed"
    expected = ["Seven textbook agents:", excluded, *claims, "Five agents with memory:", excluded, *claims]
    assert [line.split(",")[0] for line in lines[:12]] == expected
    assert lines[12] == f"Report: {out / 'does-memory-help.md'}"
    assert sorted(path.name for path in (out / "images").iterdir()) == [
        "does-memory-help-agents-long.png",
        "does-memory-help-agents.png",
        "does-memory-help-long.png",
        "does-memory-help.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (out / "images").iterdir())
    page = (out / "does-memory-help.md").read_text()
    assert all(line.removesuffix(":").removeprefix("Excluded: ") in page for line in lines[:12])
    assert "These agents abstain, since their features are missing: hedge, markov." in page
    assert all(f"| {name} |" in page for name in ("own memory", "composer by regime", "all together", "wyckoff"))
    assert page.endswith(
        "The command, in the folder of the files:\n\n```sh\nagent-memory backtest \\\n    --bars short.csv \\\n"
        "    --bars long.csv \\\n    --costs-bp 1 \\\n    --costs-bp 5 \\\n    --agents all\n```\n\nWhat was read:\n\n"
        "- short.csv: CSV, 960 hourly bars, 2020-01-01 00:00 to 2020-02-09 23:00, UTC assumed\n"
        "- long.csv: CSV, 10,080 hourly bars, 2020-01-01 00:00 to 2021-02-23 23:00, UTC assumed\n"
    )
    assert "## short\n" in page
    assert "## long\n" in page
    assert "Costs per side: 5 bp." in page
    assert "Memory learns for 13 days" in page
    assert "Excluded from sentences and plots: short (" in page
    assert page.count("| volatility |") == 2 * (4 + 2)
    assert not re.search(r"\bnan\b", page)
    tables = [line for line in page.splitlines() if line.startswith("| ")]
    assert all(line.endswith(" |") for line in tables)
    html = (out / "report.html").read_text()
    assert html.count("<section>") == page.count("\n## ")
    assert html.count('class="plot wide"') == html.count('class="plot narrow"') == page.count("![") == 4
    assert html.count('<a href="#the-run">') == html.count('<h2 id="the-run">') == 1
    assert "<img" not in html
    assert "#0102" not in html  # all colours are those of the style sheet
    assert not re.search(r"https?://|<script|src=\"images", html)
    assert html.count("<tr>") == sum(line.startswith("|") for line in page.splitlines()) - html.count("<table>")


@pytest.mark.usefixtures("few_repeats")
@pytest.mark.slow
def test_the_result_as_json(short, tmp_path, capsys):
    assert main(["--bars", str(short), "--costs-bp", "2", "--agents", "plain", "--out", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == [{"bars": str(short), "costs_bp": 2.0}]
    assert found["summary"][0] == "Seven textbook agents:"
    assert found["report"] == str(tmp_path / "does-memory-help.md")


def test_too_few_bars_are_the_first_that_is_said_with_how_many_it_takes(short, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "out"
    monkeypatch.setattr("trading_agents.backtest.study.run.run_study", lambda *_: pytest.fail("too late"))
    with pytest.raises(pytest.fail.Exception):
        main(["--bars", str(short), "--out", str(folder)])
    said = capsys.readouterr().err.splitlines()[1]
    assert said == "short.csv: 960 bars are too few for a verdict, which takes about 9,000 bars like these"


def test_constant_prices_are_refused_in_one_line(tmp_path, capsys):
    flat = walk(700)
    for name in ("open", "high", "low", "close"):
        getattr(flat, name)[:] = 100.0
    assert main(["--bars", str(written(tmp_path / "flat.csv", flat)), "--out", str(tmp_path)]) == 2
    *_, error = capsys.readouterr().err.splitlines()
    assert error.startswith("Error: Invalid value: flat.csv: there is no trade to score")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing option '--bars'"),
        (["--bars", "/nowhere.csv"], "'/nowhere.csv' does not exist"),
        (["--bars", "{short}", "--costs-bp", "x"], "'--costs-bp': Input should be a valid number"),
        (["--bars", "{short}", "--costs-bp", "-1"], "'--costs-bp': Input should be greater than or equal to 0"),
        (
            ["--bars", "{short}", "--costs-bp", "1", "--costs-bp", "2"],
            "pass --costs-bp once, or once for each of the 1",
        ),
        (
            ["--bars", "{short}", "--bars", "{short}", "--splits", "2020-01-20=2"],
            "--splits: the splits are those of one instrument; pass one file of bars",
        ),
        (["--bars", "{short}", "--costs-bp", "inf"], "--costs-bp: must be finite"),
        (["--bars", "{short}", "--cost"], "--cost"),
        (["--bars", "{short}", "--agents", "seven"], "'seven' is not one of 'plain', 'memory', 'all'"),
        (["--bars", "{broken}"], "broken.csv, line 2: column 'low': 'x' is not a number above 0"),
        (["--bars", "{tiny}"], "tiny.csv has 400 bars; at least 500 are needed"),
        (["--bars", "{short}", "--options", "none"], "--options: every file is `none`; leave the option out"),
        (["--bars", "{short}", "--options", "/nowhere.csv"], "cannot read /nowhere.csv: No such file"),
        (["--bars", "{short}", "--options", "{short}"], "short.csv has no header of option chains"),
        (["--bars", "{short}", "--options", "{two}"], "two.csv has options on OTHER, TEST: choose one with --symbol"),
    ],
)
def test_invalid_options_and_files_are_one_line_and_exit_code_two(arguments, message, short, tmp_path, capsys):
    broken = tmp_path / "broken.csv"
    broken.write_text(f"{HEADER}\n2026-01-01,1,1,x,1,1\n")
    tiny = written(tmp_path / "tiny.csv", walk(400))
    chains, two = tmp_path / "chains.csv", tmp_path / "two.csv"
    chains.write_text(daily_file(quotes()))
    two.write_text(daily_file(quotes()) + daily_file(quotes()).replace("TEST", "OTHER").partition("\n")[2])
    places = {"short": short, "broken": broken, "tiny": tiny, "chains": chains, "two": two}
    assert main([argument.format(**places) for argument in arguments]) == 2
    output = capsys.readouterr()
    errors = [line for line in output.err.splitlines() if "csv: CSV, " not in line and "too few" not in line]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")
    assert message in errors[0]
    assert output.out == ""


def test_a_folder_that_cannot_be_written_is_named(short, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_module, "run_study", lambda *_: None)
    (tmp_path / "file").touch()
    assert main(["--bars", str(short), "--agents", "plain", "--out", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_an_unwritable_folder_is_reported_before_the_backtest(short, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(run_module, "run_study", lambda *_: pytest.fail("the backtest ran"))
    (tmp_path / "file").touch()
    assert main(["--bars", str(short), "--agents", "plain", "--out", str(tmp_path / "file" / "folder")]) == 2
    assert "Not a directory" in capsys.readouterr().err


def test_help_lists_the_options(capsys):
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    assert all(option in output for option in ("--bars", "--costs-bp", "--agents", "--out"))


@pytest.mark.slow
def test_an_interrupt_ends_the_run_with_130(short, tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "--bars", str(short), "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr.readline().startswith("short.csv: CSV, 960 hourly bars, ")
    assert "960 bars are too few for a verdict" in run.stderr.readline()
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, output = run.communicate(timeout=60)
    assert (run.returncode, output) == (130, "Stopped: interrupted; nothing was written\n")
    assert not list(tmp_path.iterdir())
