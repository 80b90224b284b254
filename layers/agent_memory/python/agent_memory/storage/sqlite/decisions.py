"""The decision log in SQLite: a row per decision, with what indexes need, and JSON of its content and outcomes."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from agent_memory.core.clock import Clock, Span, SystemClock
from agent_memory.core.conditions import canonical_parts
from agent_memory.core.errors import Damaged
from agent_memory.core.ids import shard_of
from agent_memory.core.json_values import canonical_json, parsed_json
from agent_memory.core.keys import decision_sk
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, expires_ms
from agent_memory.model.decisions import Decision, DecisionDict, DecisionKey, Kind, Outcome, context_type_of
from agent_memory.model.listings import OnUnreadable, Unreadable, parsed, raise_error
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.model.records import (
    FIELDS,
    Record,
    check_size,
    decision_from,
    decision_record,
    entry_from,
    is_small,
    outcomes_record,
)
from agent_memory.ports.decisions import Alike, DecisionStore, Entry, Link, Order, Position, Selection, WriteStatus
from agent_memory.storage.content_checks import check_documents, check_outcome
from agent_memory.storage.outcome_updates import updated
from agent_memory.storage.sqlite.database import Database

T = TypeVar("T")

Records = tuple[Record, Record | None]
"""The records of a decision and of its outcomes."""

_PAGE = 500
_MAX_TOGETHER = 4_000_000  # characters
_BYTES_OF_NAMES = 1_000
_MAX_PARTS = 100
_MAX_PATTERN = 1_000  # characters
_HAS_PART = "instr(content, ?) > 0"
_HAS_WORD = r"(content LIKE ? ESCAPE '\' OR outcomes LIKE ? ESCAPE '\')"
_LIKE_SYMBOLS, _ESCAPED = re.compile(r"[%_\\]"), r"\\\g<0>"
_IS_NOT_ASCII = "length(content) <> length(CAST(content AS BLOB)) OR length(outcomes) <> length(CAST(outcomes AS BLOB))"
_IS_DAMAGED = "CASE WHEN json_valid(content) THEN json_type(content, '$.context') IS NOT 'object' ELSE 1 END"
_IS_COUNTABLE = """
    CASE WHEN json_valid(content)
        THEN json_type(content, '$.context') IS 'object' AND json_type(content, '$.reasoning') IS 'object'
    END
    AND CASE WHEN outcomes IS NULL THEN success IS NULL WHEN json_valid(outcomes)
        THEN json_type(outcomes, '$.outcome') IS 'object' AND json_type(outcomes, '$.metrics') IS 'object'
    END
"""
"""Whether a row is certainly not damaged in what is counted."""
_BY_KEY = "agent_id = ? AND decision_type = ? AND timestamp_ms = ? AND decision_id = ?"
_COLUMNS = "timestamp_ms, decision_id, content, outcomes"
_ONE = f"SELECT {_COLUMNS} FROM decisions WHERE {_BY_KEY} AND (expires_ms IS NULL OR expires_ms > ?)"
_CONTENT = 7  # among the columns of `_INSERT`
_EMPTY_IF_MISSING = frozenset({Kind.TEXTS, Kind.COUNTS, Kind.OUTCOMES})
_INSERT = """
    INSERT INTO decisions
        (agent_id, decision_type, timestamp_ms, decision_id, shard, context_type, success, content, outcomes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""


class _Entry(NamedTuple):
    """`ports.decisions.Entry`."""

    timestamp_ms: int
    decision_id: str
    content: DecisionDict
    max_bytes: int

    def as_dict(self) -> DecisionDict:
        """The decision as in the APIs."""
        return self.content


class _Row(NamedTuple):
    timestamp_ms: int
    decision_id: str
    content: str
    outcomes: str | None

    def decision(self) -> Decision:
        """The decision; `Damaged` if the row is not one."""
        return self.parsed_by(_decision)

    def parsed_by(self, convert: "Convert[T]") -> T:
        """What `convert` makes of the row; `Damaged` if it is not one of a decision."""
        return parsed(self.decision_id, lambda: convert(self, *self._records()))

    def _records(self) -> Records:
        return parsed_json(self.content), parsed_json(self.outcomes) if self.outcomes else None


Convert = Callable[[_Row, Record, Record | None], T]
"""Makes something of a row and its records."""


def _decision(_row: _Row, record: Record, outcomes: Record | None) -> Decision:
    return decision_from(record, outcomes)


def _entry(row: _Row, record: Record, outcomes: Record | None) -> _Entry:
    # Names and times of outcomes are not in the texts, but at most seven times as long as what is.
    max_bytes = _BYTES_OF_NAMES + 8 * (len(row.content) + len(row.outcomes or ""))
    return _Entry(row.timestamp_ms, row.decision_id, entry_from(record, outcomes), max_bytes)


class SqliteDecisions(DecisionStore):
    """`DecisionStore` on the tables `decisions` and `links`."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    # --- writing -------------------------------------------------------------------------------

    def insert(self, decisions: Sequence[Decision]) -> list[WriteStatus]:
        """Write each decision unless its id is taken: CREATED, UNCHANGED or CONFLICT, in order."""
        rows = [_checked_row_of(decision) for decision in decisions]
        with self._database.writing() as connection:
            return [self._insert(connection, *pair) for pair in zip(decisions, rows, strict=True)]

    def record_outcomes(self, updates: Sequence[tuple[DecisionKey, OutcomeUpdate]]) -> list[WriteStatus]:
        """Apply each outcome: CREATED, UNCHANGED, CONFLICT or NOT_FOUND, in order."""
        for _, update in updates:
            check_outcome(update.outcome)
        with self._database.writing() as connection:
            return [self._record(connection, key, update) for key, update in updates]

    def check_decision_fits(self, decision: Decision) -> None:
        """See `DecisionStore`."""
        check_size(decision.content())

    def check_outcome_fits(self, outcome: Outcome) -> None:
        """See `DecisionStore`."""
        check_size(outcome.content())

    def expire(self, decisions: Sequence[Decision], at_ms: Sequence[int]) -> list[bool]:
        """Set the expiry of each decision whose outcomes are unchanged; returns whether it was set, in order."""
        with self._database.writing() as connection:
            return [_expire(connection, *pair) for pair in zip(decisions, at_ms, strict=True)]

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Write decisions that have expired from the table back, with their outcomes."""
        with self._database.writing() as connection:
            for decision in decisions:
                if self._find(connection, decision.key) is None:
                    connection.execute(f"DELETE FROM decisions WHERE {_BY_KEY}", _values(decision.key))
                    connection.execute(_INSERT, _row_of(decision))

    def replace_outcomes(self, earlier: Decision, later: Decision) -> bool:
        """Store the outcomes of `later` with a decision whose stored version is `earlier`; returns whether it was."""
        with self._database.writing() as connection:
            if self._find(connection, earlier.key) != earlier:
                return False
            _update(connection, earlier.key, replace(later, ancestors=earlier.ancestors))
            return True

    def link(self, links: Sequence[Link]) -> None:
        """Record which decisions followed from earlier ones. Recording a link again changes nothing."""
        now_ms = self._clock.now_ms()
        rows = [
            (
                one.descendant.agent_id,
                one.ancestor_id,
                one.descendant.timestamp_ms,
                one.descendant.decision_id,
                one.descendant.decision_type,
                one.steps,
                expires_ms(one.descendant.timestamp_ms, EXPIRE_AFTER_DAYS, now_ms),
            )
            for one in links
        ]
        if rows:
            with self._database.writing() as connection:
                connection.executemany(
                    "INSERT INTO links (agent_id, ancestor_id, timestamp_ms, decision_id, decision_type, steps, "
                    "expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    rows,
                )

    def erase(self, agent_id: str, *, dry_run: bool) -> int:
        """Erase an agent's decisions and links, or only count them; returns how many."""
        return erase_rows(self._database, ("decisions", "links"), agent_id, dry_run=dry_run)

    # --- reading -------------------------------------------------------------------------------

    def get(self, keys: Sequence[DecisionKey], *, on_unreadable: OnUnreadable = raise_error) -> list[Decision | None]:
        """The decisions with these keys, in order; None for those that are not in the table."""
        with self._database.reading() as connection:
            rows = [self._read(connection, key) for key in keys]
        return [None if row is None else _readable(row, _decision, on_unreadable) for row in rows]

    def scan_with_positions(
        self, selection: Selection, span: Span, order: Order, on_unreadable: OnUnreadable
    ) -> Iterator[Decision | Position]:
        """As `scan`, with a position after each query."""
        for rows, position in self._rows(selection, span, order):
            for decision in _read(rows, _decision, on_unreadable):
                if selection.matches(decision):
                    yield decision
            yield position

    def scan_entries(
        self, selection: Selection, span: Span, order: Order, on_unreadable: OnUnreadable
    ) -> Iterator[Entry | Position]:
        """See `DecisionStore`. All conditions but those of the content are decided by the columns of a row."""
        if selection.needs_content:
            yield from self.scan_with_positions(selection, span, order, on_unreadable)
            return
        for rows, position in self._rows(selection, span, order):
            yield from _read(rows, _entry, on_unreadable)
            yield position

    def _rows(self, selection: Selection, span: Span, order: Order) -> Iterator[tuple[list[_Row], Position]]:
        """The rows that may meet a selection, a page per query, and how far each query has come.

        Of rows whose text shows that they do not meet it, a query returns the keys only: however rare the others are,
        a page has a bound, so that streams of several types are read side by side and a caller can stop.
        """
        test, values = _content_test(selection)
        columns = f"timestamp_ms, decision_id, CASE WHEN {test} THEN content END, outcomes" if test else _COLUMNS
        page = order.first or _PAGE
        for found in self._pages(columns, selection, span, newest_first=order.newest_first, page=page, values=values):
            rows = [_Row._make(one) for one in found if one[2] is not None]
            yield rows, Position(*found[-1][:2])

    def links_from(
        self,
        agent_id: str,
        ancestor_id: str,
        *,
        limit: int,
        on_unreadable: OnUnreadable = raise_error,  # noqa: ARG002  columns of a STRICT table have their types
    ) -> list[Link]:
        """The links to the decisions that followed from one, oldest first, up to `limit`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT steps, decision_type, timestamp_ms, decision_id FROM links "
                "WHERE agent_id = ? AND ancestor_id = ? AND expires_ms > ? ORDER BY timestamp_ms, decision_id LIMIT ?",
                (agent_id, ancestor_id, self._clock.now_ms(), limit),
            ).fetchall()
        return [Link(ancestor_id, steps, DecisionKey(agent_id, *key)) for steps, *key in rows]

    def count(
        self, selection: Selection, span: Span, measurements: Sequence[str], on_unreadable: OnUnreadable
    ) -> Iterator[Alike]:
        """See `DecisionStore`. Rows are counted by SQLite, but for those that may be damaged, which are read."""
        if selection.needs_content:
            yield from super().count(selection, span, measurements, on_unreadable)
            return
        where, values = self._conditions(selection, span)
        has_measurement = " OR ".join(["instr(outcomes, ?)"] * len(measurements)) or "0"
        statement = (
            f"SELECT decision_type, context_type, success, CASE WHEN {_IS_COUNTABLE} THEN 0 ELSE rowid END AS other, "
            f"CASE WHEN {has_measurement} THEN outcomes END AS measured, count(*) "
            f"FROM decisions WHERE {where} GROUP BY decision_type, context_type, success, other, measured"
        )
        parts = [f"{canonical_json(name)}:" for name in measurements]
        with self._database.reading() as connection:
            counts = connection.execute(statement, (*parts, *values)).fetchall()
            others = [
                _Row(*found)
                for *_, rowid, _, _ in counts
                if rowid
                for found in connection.execute(f"SELECT {_COLUMNS} FROM decisions WHERE rowid = ?", (rowid,))
            ]
        yield from map(Alike.of, _read(others, _decision, on_unreadable))
        for decision_type, context_type, success, rowid, measured, number in counts:
            if not rowid:
                yield Alike(decision_type, context_type, _counted_outcome(success, measured), number)

    def _pages(
        self,
        columns: str,
        selection: Selection,
        span: Span,
        *,
        newest_first: bool,
        page: int,
        values: Sequence[Any] = (),
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a selection that have not expired, a page per query: no query is open between two of them.

        The first two columns have to be the time and the id; `values` are the parameters of the columns. Conditions
        of the content are not applied.
        """
        where, parameters = self._conditions(selection, span)
        comparison, order = ("<", "DESC") if newest_first else (">", "ASC")
        last: tuple[Any, ...] = ()
        while True:
            after = f" AND (timestamp_ms, decision_id) {comparison} (?, ?)" if last else ""
            statement = (
                f"SELECT {columns} FROM decisions WHERE {where}{after} "
                f"ORDER BY timestamp_ms {order}, decision_id {order} LIMIT ?"
            )
            with self._database.reading() as connection:
                rows = connection.execute(statement, (*values, *parameters, *last, page)).fetchall()
            if rows:
                yield rows
            if len(rows) < page:
                return
            last, page = rows[-1][:2], max(page, _PAGE)

    def _conditions(self, selection: Selection, span: Span) -> tuple[str, tuple[Any, ...]]:
        """The conditions of a selection and a span on rows that have not expired, and their values.

        Those of the content are left to `_content_test`.
        """
        conditions: dict[str, Any] = {
            "agent_id = ?": selection.agent_id,
            "timestamp_ms >= ?": span.start_ms,
            "timestamp_ms < ?": span.end_ms,
            "shard < ?": selection.shards,
        }
        if selection.decision_type is not None:
            conditions["decision_type = ?"] = selection.decision_type
        if selection.context_type is not None:
            conditions["context_type = ?"] = selection.context_type
        if selection.success is not None:
            conditions["success = ?"] = int(selection.success)
        tests = ["success IS NULL"] if selection.is_pending else []
        where = " AND ".join([*conditions, *tests, "(expires_ms IS NULL OR expires_ms > ?)"])
        return where, (*conditions.values(), self._clock.now_ms())

    # --- in a transaction ----------------------------------------------------------------------

    def _insert(self, connection: sqlite3.Connection, decision: Decision, row: tuple[Any, ...]) -> WriteStatus:
        if connection.execute(_INSERT, row).rowcount:
            return WriteStatus.CREATED
        stored = self._find(connection, decision.key)
        is_equal = stored is not None and stored.content() == decision.content()
        return WriteStatus.UNCHANGED if is_equal else WriteStatus.CONFLICT

    def _record(self, connection: sqlite3.Connection, key: DecisionKey, update: OutcomeUpdate) -> WriteStatus:
        status, new = updated(self._find(connection, key), update, self._clock.now_ms())
        if new is not None:
            _update(connection, key, new)
        return status

    def _find(self, connection: sqlite3.Connection, key: DecisionKey) -> Decision | None:
        row = self._read(connection, key)
        return None if row is None else row.decision()

    def _read(self, connection: sqlite3.Connection, key: DecisionKey) -> _Row | None:
        """The row of a key, unless it has expired."""
        found = connection.execute(_ONE, (*_values(key), self._clock.now_ms())).fetchone()
        return None if found is None else _Row(*found)


def _content_test(selection: Selection) -> tuple[str, list[str]]:
    """A test of the texts of a row that fails only if the decision does not meet the conditions, and its values.

    Letters beyond ASCII may have ASCII ones in place of capitals (`ß` is `ss`): rows with such letters pass.
    """
    parts = canonical_parts(selection.context or {})[:_MAX_PARTS]
    words = [f"%{_LIKE_SYMBOLS.sub(_ESCAPED, one)}%" for one in selection.words if one.isascii()]
    words = [one for one in words if len(one) <= _MAX_PATTERN][:_MAX_PARTS]
    tests = [_HAS_PART] * len(parts) + [_HAS_WORD] * len(words)
    if not tests:
        return "", []
    passes_always = f"{_IS_NOT_ASCII} OR NOT json_valid(outcomes) OR {_IS_DAMAGED}" if words else _IS_DAMAGED
    return f"{' AND '.join(tests)} OR {passes_always}", [*parts, *(one for word in words for one in (word, word))]


def erase_rows(database: Database, tables: Sequence[str], agent_id: str, *, dry_run: bool) -> int:
    """Erase an agent's rows of some tables in one transaction, or only count them; returns how many."""
    if dry_run:
        with database.reading() as connection:
            counts = [f"SELECT count(*) AS n FROM {table} WHERE agent_id = :agent" for table in tables]
            statement = f"SELECT sum(n) FROM ({' UNION ALL '.join(counts)})"
            (count,) = connection.execute(statement, {"agent": agent_id}).fetchone()
            return int(count)
    with database.writing() as connection:
        erased = [
            connection.execute(f"DELETE FROM {table} WHERE agent_id = ?", (agent_id,)).rowcount for table in tables
        ]
        return sum(erased)


def _update(connection: sqlite3.Connection, key: DecisionKey, decision: Decision) -> None:
    """Store a decision's outcomes. The archive does not have them yet, so that the row must not expire."""
    connection.execute(
        f"UPDATE decisions SET success = ?, outcomes = ?, expires_ms = NULL WHERE {_BY_KEY}",
        (_success_of(decision), _outcomes_text(decision), *_values(key)),
    )


def _expire(connection: sqlite3.Connection, decision: Decision, at_ms: int) -> bool:
    found = connection.execute(f"SELECT {_COLUMNS} FROM decisions WHERE {_BY_KEY}", _values(decision.key)).fetchone()
    if found is None:
        return False
    stored = _Row(*found).decision()
    if (stored.outcome is None, stored.revision) != (decision.outcome is None, decision.revision):
        return False
    connection.execute(f"UPDATE decisions SET expires_ms = ? WHERE {_BY_KEY}", (at_ms, *_values(decision.key)))
    return True


def _counted_outcome(success: int | None, measured: str | None) -> Outcome | None:
    """The outcome of rows with this success; `measured` is its text if it may have measurements."""
    if success is None:
        return None
    record = parsed_json(measured) if measured else {"outcome": {}, "metrics": {}}
    return Outcome(bool(success), record["outcome"], record["metrics"], record.get("outcome_recorded_ms", 0))


def _read(rows: Sequence[_Row], convert: Convert[T], on_unreadable: OnUnreadable) -> Iterator[T]:
    """What `convert` makes of each row, without those that are damaged.

    All rows are parsed together, unless one of them is damaged.
    """
    try:
        found = parsed("rows", _converted_together, rows, convert)
    except Damaged:
        each = (_readable(row, convert, on_unreadable) for row in rows)
        yield from (one for one in each if one is not None)
    else:
        yield from found


def _converted_together(rows: Sequence[_Row], convert: Convert[T]) -> list[T]:
    return [convert(row, record, outcomes) for row, (record, outcomes) in zip(rows, _records(rows), strict=True)]


def _records(rows: Sequence[_Row]) -> Sequence[Records]:
    """The records of rows; `ValueError` if they are too large, or the texts are not those of the rows' decisions.

    The parser is called once, and makes the name of each field once.
    """
    if sum([len(row.content) for row in rows]) > _MAX_TOGETHER:
        raise ValueError("the rows are too large")
    texts = [f"[{row.content},{row.outcomes or 'null'}]" for row in rows]
    found: list[Records] = parsed_json(f"[{','.join(texts)}]")
    # Damaged texts, put together, could be those of other decisions.
    if [record["decision_id"] for record, _ in found] != [row.decision_id for row in rows]:
        raise ValueError("not the decisions of the rows")
    return found


def _readable(row: _Row, convert: Convert[T], on_unreadable: OnUnreadable) -> T | None:
    try:
        return row.parsed_by(convert)
    except Damaged as error:
        on_unreadable(Unreadable(row.decision_id, error, decision_sk(row.timestamp_ms, row.decision_id)))
        return None


def _checked_row_of(decision: Decision) -> tuple[Any, ...]:
    """The row of a new decision; raises `InvalidInput`, which names the part, if it cannot be stored."""
    check_documents(decision)
    row = _row_of(decision)
    if not is_small(row[_CONTENT]):  # which is longer than what is measured
        check_size(decision.content())
    return row


def _row_of(decision: Decision) -> tuple[Any, ...]:
    return (
        *_values(decision.key),
        shard_of(decision.decision_id),
        context_type_of(decision.context),
        _success_of(decision),
        _text(decision_record(decision)),
        _outcomes_text(decision),
    )


def _values(key: DecisionKey) -> tuple[str, str, int, str]:
    """The values of `_BY_KEY`."""
    return key.agent_id, key.decision_type, key.timestamp_ms, key.decision_id


def _success_of(decision: Decision) -> int | None:
    return None if decision.outcome is None else int(decision.outcome.success)


def _outcomes_text(decision: Decision) -> str | None:
    return None if decision.outcome is None else _text(outcomes_record(decision))


def _text(record: Record) -> str:
    """The JSON text of a record, without None and empty lists, which fields that are missing have when it is read."""
    return canonical_json(
        {
            name: value
            for name, value in record.items()
            if value is not None and (value or FIELDS[name] not in _EMPTY_IF_MISSING)
        }
    )
