"""Commands of other packages whose extra is missing: the others work, and these name the extra."""

import pytest
import typer
from typer.testing import CliRunner

from agent_memory.cli.app import add_command_of
from agent_memory.core.extras import MissingExtra


class Point:
    """An entry point, as of an installed package."""

    def __init__(self, name, command=None):
        self.name, self._command = name, command

    def load(self):
        if self._command is None:
            raise MissingExtra("scipy is not installed: pip install 'agent-memory[trading]'", name="scipy")
        return self._command


def works() -> None:
    """Say so."""
    typer.echo("works")


@pytest.fixture
def app():
    found = typer.Typer()
    for point in (Point("backtest"), Point("other", works)):
        add_command_of(point, found)
    return found


def test_other_commands_work(app):
    assert CliRunner().invoke(app, ["other"]).output == "works\n"


@pytest.mark.parametrize("arguments", [[], ["bars.csv", "--strategy", "x"], ["--help"]])
def test_the_command_names_its_extra_whatever_its_arguments(app, arguments):
    error = CliRunner().invoke(app, ["backtest", *arguments]).exception
    assert isinstance(error, MissingExtra)
    assert "agent-memory[trading]" in str(error)


def test_the_list_of_commands_says_what_is_missing(app):
    listed = CliRunner().invoke(app, ["--help"]).output
    assert "Not available: scipy is not installed" in listed
