import pytest

from agent_memory import Unavailable
from demo import run
from demo.__main__ import main
from local import LocalCloudError
from trading_agents.demo.bars import BarsOptions
from trading_agents.demo.errors import DemoError


@pytest.fixture
def ran(monkeypatch):
    """The options with which the demo was called; set `error` to make it fail."""

    class Ran(list):
        error = None

    calls = Ran()

    def run_demo(options, _terminal):
        calls.append(options)
        if calls.error:
            raise calls.error

    monkeypatch.setattr(run, "run_demo", run_demo)
    return calls


def test_without_options_it_replays_the_sample(ran):
    assert main([]) == 0
    (options,) = ran
    assert (options.days, options.bars.file, options.keep, str(options.output)) == (None, None, False, "report.html")


def test_options_are_passed_on(ran, tmp_path):
    bars = tmp_path / "bars.csv"
    bars.touch()
    source = ["--symbol", "AAPL", "--time-zone", "UTC", "--splits", "none"]
    assert (
        main(["--days", "3", "--bars", str(bars), "--keep", "--output", "x.html", "--state", str(tmp_path), *source])
        == 0
    )
    (options,) = ran
    assert (options.days, options.bars.file, options.keep, str(options.output)) == (3, bars, True, "x.html")
    assert options.state == tmp_path
    assert options.bars == BarsOptions(bars, "AAPL", "UTC", "none")


@pytest.mark.parametrize(
    "arguments", [["--days", "x"], ["--days", "0"], ["--dayz", "3"], ["--bars", "/no/such.csv"], ["--days"], ["more"]]
)
def test_an_invalid_option_is_one_line_and_exit_code_two(ran, capsys, arguments):
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("Error: ")
    assert output.err.count("\n") == 1
    assert not ran


@pytest.mark.parametrize("error", [DemoError("no bars\nleft"), LocalCloudError("no node"), Unavailable("no answer")])
def test_an_expected_error_is_one_line_and_exit_code_one(ran, capsys, error):
    ran.error = error
    assert main([]) == 1
    assert capsys.readouterr().err == f"Error: {' '.join(str(error).split())}\n"


def test_an_unexpected_error_is_not_hidden(ran):
    ran.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        main([])


def test_ctrl_c_is_one_line_and_exit_code_130(ran, capsys):
    ran.error = KeyboardInterrupt()
    assert main([]) == 130
    assert capsys.readouterr().err == "Stopped: interrupted; the next run continues after the last day that was saved\n"


def test_help_needs_nothing(ran, capsys):
    assert main(["--help"]) == 0
    assert "--bars" in capsys.readouterr().out
    assert not ran
