import re
import signal
import subprocess
import sys
import time

import pytest

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
def test_a_run_writes_a_page_and_plots_and_prints_every_claim(short, tmp_path, capsys):
    long = written(tmp_path / "long.csv", walk(24 * 420, seed=8))
    out = tmp_path / "out"
    assert (
        main(["--bars", str(short), "--bars", str(long), "--costs-bp", "1", "--costs-bp", "5", "--out", str(out)]) == 0
    )
    output = capsys.readouterr()
    assert "short.csv: 960 bars" in output.err
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
    assert html.count('src="data:image/png;base64,') == page.count("![") == 4
    assert not re.search(r"https?://|<script|src=\"images", html)
    assert html.count("<tr>") == sum(line.startswith("|") for line in page.splitlines()) - html.count("<table>")


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
        (["--bars", "{short}", "--costs-bp", "inf"], "--costs-bp: must be finite"),
        (["--bars", "{short}", "--cost"], "--cost"),
        (["--bars", "{short}", "--agents", "seven"], "'seven' is not one of 'plain', 'memory', 'all'"),
        (["--bars", "{broken}"], "broken.csv, line 2: column 'low': 'x' is not a number above 0"),
        (["--bars", "{tiny}"], "tiny.csv has 400 bars; at least 500 are needed"),
    ],
)
def test_invalid_options_and_files_are_one_line_and_exit_code_two(arguments, message, short, tmp_path, capsys):
    broken = tmp_path / "broken.csv"
    broken.write_text(f"{HEADER}\n2026-01-01,1,1,x,1,1\n")
    tiny = written(tmp_path / "tiny.csv", walk(400))
    places = {"short": short, "broken": broken, "tiny": tiny}
    assert main([argument.format(**places) for argument in arguments]) == 2
    output = capsys.readouterr()
    errors = [line for line in output.err.splitlines() if not line.endswith(" bars")]
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
    assert run.stderr.readline() == "short.csv: 960 bars\n"
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, output = run.communicate(timeout=60)
    assert (run.returncode, output) == (130, "Stopped: interrupted; nothing was written\n")
    assert not list(tmp_path.iterdir())
