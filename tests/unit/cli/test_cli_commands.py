"""Commands that other packages add, and interruption."""

import re
from pathlib import Path

import pytest
import typer

import agent_memory
from agent_memory.cli import main, options
from agent_memory.cli.app import app
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


def test_it_prints_its_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"agent-memory {agent_memory.__version__}\n", "")


def test_usage_lists_every_command():
    page = (Path(__file__).parents[3] / "docs" / "usage.md").read_text()
    table = page.partition("## The command")[2]
    listed = {
        name for cell in re.findall(r"^\|([^|]*)\|", table, re.MULTILINE) for name in re.findall(r"`([a-z]+)`", cell)
    }
    commands = typer.main.get_command(app).commands
    assert listed == {name for name, command in commands.items() if not command.hidden}


def test_without_a_command_it_prints_help(capsys):
    assert main([]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("Usage: agent-memory [OPTIONS] COMMAND [ARGS]...")
    assert "backtest" in output.out
    assert output.err == ""
