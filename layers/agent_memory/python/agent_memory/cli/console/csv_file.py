"""Tables as CSV: the values themselves, as the services returned them, without rounding."""

import csv
import json
from io import StringIO
from typing import Any

from agent_memory.cli.console.view import Column, Table

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_RATE_MEMBERS = ("low", "high")


def as_csv(table: Table) -> str:
    """A table as CSV with a heading. A rate has two more columns, the ends of its interval, and a decision its id."""
    output = StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow([name for column in table.columns for name in _names(column)])
    for row in table.rows:
        writer.writerow([_cell(row.get(name)) for column in table.columns for name in _names(column)])
    return output.getvalue()


def _names(column: Column) -> list[str]:
    more = {"rate": _RATE_MEMBERS, "decision": ("decision_id",)}
    return [column.key, *more.get(column.kind, ())]


def _cell(value: Any) -> str:
    """A cell; text that a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_STARTS_FORMULA) else value
    return json.dumps(value, ensure_ascii=False)
