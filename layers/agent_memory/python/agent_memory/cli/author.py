"""The options of commands that change an agent's memory: who does it, and why; both are stored with the change."""

import getpass
from dataclasses import dataclass
from typing import Annotated

import typer


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "operator"


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes a change."""

    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="NAME",
            default_factory=_user,
            show_default="your user name",
            help="Who makes the change; it is recorded.",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Change(Author):
    """Who makes a change, and why."""

    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")]
