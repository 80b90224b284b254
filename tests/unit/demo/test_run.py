"""What the demo reports before it starts anything, and the commands that it prints."""

import io
import shlex
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from rich.console import Console

from demo import run
from demo.run import Options, local_command, run_demo
from trading_agents.demo import plan
from trading_agents.demo.bars import BarsOptions, sample_bars
from trading_agents.demo.errors import BarsError, CannotContinueError, DemoError
from trading_agents.demo.progress import ProgressCopy
from trading_agents.demo.terminal import Terminal

BARS = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2026-01-{1 + n // 24:02d}T{n % 24:02d}:00:00,1,1,1,1,1\n" for n in range(200)
)


class Started(Exception):
    """The demo went on to start the local cloud."""


@pytest.fixture
def demo(monkeypatch, tmp_path):
    """Run the demo until it starts the local cloud; returns what it printed."""

    @contextmanager
    def start(*_, **__):
        raise Started
        yield

    monkeypatch.setattr(run, "_deployed_cloud", start)
    state = tmp_path / "my state"
    state.mkdir()

    def run_until_start(**changes):
        console = Console(file=io.StringIO(), width=300, highlight=False)
        options = {"days": None, "bars": None, "keep": False, "output": tmp_path / "r.html", "state": state}
        options |= changes
        options["bars"] = BarsOptions(options["bars"])
        with pytest.raises(Started):
            run_demo(Options(**options), Terminal(console))
        return console.file.getvalue()

    run_until_start.state = state
    return run_until_start


@pytest.fixture
def replayed(demo):
    """A state folder with a replay of 60 days of the sample."""
    ProgressCopy(demo.state / "demo-replay.json").save(plan.begin(sample_bars(), 60, datetime.now(UTC)))
    return demo.state


def test_a_new_replay_starts(demo):
    assert demo() == demo(days=20) == ""


def test_too_few_bars_are_reported_before_the_start(demo, tmp_path):
    (tmp_path / "few.csv").write_text(BARS)
    with pytest.raises(BarsError, match="121 days need 3,025 bars"):
        demo(bars=tmp_path / "few.csv")


@pytest.mark.parametrize("output", ["no folder/r.html", "a folder"])
def test_an_unwritable_output_is_reported_before_the_start(demo, tmp_path, output):
    (tmp_path / "a folder").mkdir()
    with pytest.raises(DemoError, match=r"cannot write .*; name another file with --output"):
        demo(output=tmp_path / output)


def test_a_writable_output_is_not_touched_before_the_report(demo, tmp_path):
    demo()
    assert not (tmp_path / "r.html").exists()
    (tmp_path / "r.html").write_text("earlier")
    demo()
    assert (tmp_path / "r.html").read_text() == "earlier"


def test_other_bars_are_refused_before_the_start_with_a_way_out(demo, replayed, tmp_path, monkeypatch):
    (tmp_path / "other.csv").write_text(BARS)
    with pytest.raises(DemoError) as caught:
        demo(bars=tmp_path / "other.csv")
    assert not isinstance(caught.value, CannotContinueError)
    assert str(caught.value) == (
        "there is a replay of other bars: replay into another folder with --state OTHER, "
        f"or start over with `{local_command('reset', replayed)}`"
    )
    monkeypatch.setattr(run, "Layout", lambda: SimpleNamespace(state=replayed))
    with pytest.raises(DemoError, match=r"with --state OTHER, or start over with `make local-reset`"):
        demo(bars=tmp_path / "other.csv", state=None)


@pytest.mark.parametrize(("days", "noted"), [(None, False), (60, False), (20, True)])
@pytest.mark.usefixtures("replayed")
def test_another_number_of_days_has_no_effect_on_a_replay_and_says_so(demo, days, noted):
    note = "Continuing the replay of 60 days, so --days 20 has no effect; for a new replay, name another folder"
    assert demo(days=days).startswith(note) is noted


def test_printed_commands_name_the_interpreter_and_the_state(tmp_path, monkeypatch):
    state = tmp_path / "no state"
    monkeypatch.chdir(tmp_path)
    assert shlex.split(local_command("status", state)) == [
        sys.executable,
        "-m",
        "local",
        "status",
        "--state",
        str(state),
    ]
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    assert shlex.split(local_command("status", state))[0] == ".venv/bin/python"


def test_access_is_printed_with_commands_for_the_state(tmp_path):
    cloud = SimpleNamespace(endpoint_url="http://localhost:1", api_url="http://localhost:1/api")
    console = Console(file=io.StringIO(), width=300, highlight=False)
    run._print_access(cloud, None, Terminal(console))
    run._print_access(cloud, tmp_path, Terminal(console))
    default, custom = console.file.getvalue().splitlines()[1::2]
    assert default == "· `make local-status` prints its addresses and keys, `make local-down` stops it"
    assert f"`{local_command('down', tmp_path)}` stops it" in custom
