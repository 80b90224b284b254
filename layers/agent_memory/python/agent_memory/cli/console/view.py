"""What a page consists of: a template with its values, and tables, which can be downloaded as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from starlette.datastructures import QueryParams

from agent_memory.cli.console.background import Background
from agent_memory.cli.console.conditions import end_of
from agent_memory.cli.console.source import Source
from agent_memory.core.errors import InvalidInput

Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column of a table: the member of each row that it shows, its heading, and how it is shown.

    `kind` is one of those that the macro `cell` in `cells.html.j2` knows, as `number`, `rate` or `time`.
    """

    key: str
    label: str
    kind: str = "text"


def columns(text: str) -> tuple[Column, ...]:
    """The columns that lines of text describe: key, kind and heading, which may have spaces or be empty."""
    parts = [line.split(maxsplit=2) for line in text.strip().splitlines()]
    return tuple(Column(key, " ".join(heading), kind) for key, kind, *heading in parts)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. A page has the first `shown` of them, CSV all; `name` is that of the file and in the URL."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""
    empty: str = "Nothing yet."
    shown: int = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A template in `templates` with its values."""

    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    status: int = 200
    is_dated: bool = False
    """Whether it shows what was known at the time of `Visit.as_of`."""

    def table(self, name: str) -> Table:
        """The table of a name; `InvalidInput` if the page has none."""
        for one in self.tables:
            if one.name == name:
                return one
        raise InvalidInput("csv", f"this page has no table {name:.80}")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page about an agent.

    Attributes:
        source: what the console shows.
        agent_id: the agent.
        query: what the URL asks for.
        path: what the path names, as `decision_id`.
        form: what a form has sent; empty for pages.
        background: work that is running.
    """

    source: Source
    agent_id: str
    query: QueryParams
    path: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    background: Background = field(default_factory=Background)

    @property
    def as_of(self) -> datetime | None:
        """The time in the URL of which pages show what was known then; None for now."""
        return end_of(self.text("as_of"), "as_of")

    @property
    def as_of_ms(self) -> int | None:
        """The last millisecond before the time of `as_of`."""
        return None if self.as_of is None else int(self.as_of.timestamp() * 1000) - 1

    def text(self, name: str) -> str | None:
        """A value of the URL without spaces around it; None if it is empty."""
        return self.query.get(name, "").strip() or None

    def number(self, name: str, default: int, *, most: int) -> int:
        """An integer of the URL, from 1 to `most`."""
        text = self.text(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
            raise InvalidInput(name, f"expected a number from 1 to {most:,}")
        return int(text)
