"""Commands that other packages add, and interruption."""

import pytest

from agent_memory.cli import main, options
from trading_agents.backtest import command


def test_the_backtest_is_a_command_of_this_one(capsys):
    assert main(["backtest", "--help"]) == 0
    assert "with and without memory" in capsys.readouterr().out
    assert main(["backtest"]) == 2
    assert capsys.readouterr().err == "agent-memory: Missing option '--bars'.\n"
    assert main(["backtest", "--bars", "nowhere.csv"]) == 2
    assert "'nowhere.csv' does not exist" in capsys.readouterr().err
    assert command.backtest.__module__ == "trading_agents.backtest.command"


@pytest.mark.parametrize("arguments", [["verify", "--agent", "hunter", "--bucket", "archive"]])
def test_an_interruption_is_one_line_and_exit_code_130(monkeypatch, capsys, arguments):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(options, "open_deployment", interrupted)
    assert main(arguments) == 130
    assert capsys.readouterr().err == "agent-memory: interrupted\n"


def test_without_a_command_it_prints_help(capsys):
    assert main([]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Usage: agent-memory [OPTIONS] COMMAND [ARGS]...")
    assert "backtest" in output.out
    assert output.err == ""
