"""What commands print: one JSON value with `--json`, otherwise lines, or a table in a terminal."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from agent_memory.cli.progress import progress
from agent_memory.model.listings import Listing

INCOMPLETE = 1

# All control characters but the end of a line, and those that change the direction of the text after them.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Output:
    """The option `--json` of a command, and its two forms of output."""

    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False

    def show(self, value: Any, lines: Iterable[str]) -> None:
        """Print a value as JSON, or the lines that say it."""
        if self.as_json:
            self.json(value)
        else:
            for line in lines:
                self.line(line)

    def listing(self, found: Listing[Any], name: str, lines: Iterable[str]) -> int:
        """Print a listing and what it does not contain; returns the exit code, which says whether it is complete."""
        self.show(found.body(name), [*lines, *missing_lines(found.missing)])
        return 0 if found.complete else INCOMPLETE

    def json(self, value: Any) -> None:
        """Print a value as one line of JSON."""
        self.line(json.dumps(value, ensure_ascii=False))

    def line(self, text: str, *, err: bool = False) -> None:
        """Print a line."""
        progress.stop()
        typer.echo(printable(text), err=err)


def printable(text: str) -> str:
    """Text whose control characters are escaped as in JSON: what is stored must not steer a terminal."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def missing_lines(missing: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each item that an answer does not contain."""
    for one in missing:
        yield f"missing  {one['id']}: {one['why']}"


def table(columns: Mapping[str, int], rows: Iterable[Sequence[object]], empty: str) -> Iterator[str]:
    """Lines of a table: under a heading in a terminal, else the cells of each row with two spaces between.

    Args:
        columns: the names of the columns with their widths in a terminal.
        rows: are read as the lines are; a cell is text, None, which is shown as a dash, or a JSON value.
        empty: the only line where there are no rows.
    """
    is_terminal = sys.stdout.isatty()
    count = 0
    for count, row in enumerate(rows, start=1):
        if is_terminal and count == 1:
            yield _line([name.upper() for name in columns], columns.values())
        cells = [_cell(value) for value in row]
        yield _line(cells, columns.values()) if is_terminal else "  ".join(filter(None, cells))
    if not count:
        yield empty


def _line(cells: Sequence[str], widths: Iterable[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}"
    return value.replace("\n", "\\n") if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
