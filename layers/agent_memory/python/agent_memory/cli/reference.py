"""Writes the reference of the command line from the help of its commands: python -m agent_memory.cli.reference FILE."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from agent_memory.cli.app import app

_WIDTH = 110
_HEAD = """# The command line

Written from the commands' `--help` by `make cli-page`; do not edit it here.

`agent-memory COMMAND --help` prints the same. Options of stores and AWS may also be written before the command.
`agent-memory --install-completion` completes commands and options in the shell. With `--json`, an answer is one JSON
value, or one per line where a command says so. Errors are one line on standard error; where nothing says which stores
are meant, the three ways to say so follow it.

`memories` and `night` are other names of `memory` and `nightly`, and `verify` and `restore` of `archive verify` and
`archive restore`.
"""


def page() -> str:
    """The page, as Markdown."""
    root = typer.main.get_command(app)
    parts = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(root, "agent-memory", None)]
    return "\n".join([_HEAD, *parts])


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    """The full name and the help of a command, and of all commands under it."""
    context = typer.Context(command, info_name=name.rsplit(" ", 1)[-1], parent=parent, terminal_width=_WIDTH)
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for own, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from _helps(child, f"{name} {own}", context)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
