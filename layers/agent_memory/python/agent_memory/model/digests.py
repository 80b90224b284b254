"""Digests of decisions: one short row for each, by which recall filters and ranks decisions of any age.

    digests/agent_id=…/date=2026-05-01/decisions.jsonl.gz   a line with the format, then a row per line, newest first
    digests/agent_id=…/manifest.json                        which days have digests, their versions and numbers of rows

Digests are derived from decisions by the nightly job. Whatever they say, an answer has the decisions themselves.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Self

from agent_memory.core.clock import parse_date
from agent_memory.core.json_values import canonical_json, parsed_json
from agent_memory.model.decisions import Decision, DecisionKey
from agent_memory.model.listings import parsed
from agent_memory.model.outcomes import headline_outcomes
from agent_memory.model.recalled_parts import importance_of, strings_in, symbol_of, tags_of

FORMAT = 1
MAX_REASONING_CHARACTERS = 500
MAX_CONTEXT_CHARACTERS = 2_000
"""A longer context, as JSON, is left out, but for so many characters of its words: see `DigestRow.is_partial`."""
MAX_TAGS_CHARACTERS = 500
MAX_SYMBOL_CHARACTERS = 100
MAX_HEADLINES = 16
"""Of an outcome that was amended more often, the latest ones are kept."""

_BAD_BYTES = (OSError, EOFError, zlib.error)


class Headline(NamedTuple):
    """What the headline outcome said from a time on: whether it was a success, and the importance that follows."""

    since_ms: int
    success: bool
    importance: float


@dataclass(frozen=True, slots=True)
class DigestRow:
    """What recall needs of a decision.

    Attributes:
        decision_id: its id.
        decision_type: its type.
        timestamp_ms: its time.
        context: its context as canonical JSON; None if it is too long.
        text: the words of its context and the beginning of those of its reasoning.
        symbol: its symbol.
        tags: its tags, sorted.
        headlines: what its headline outcome said since when, oldest first; empty without an outcome.
        is_partial: whether the context, the symbol or tags are too long and left out. Such a row meets every filter by
            them; the decision itself is compared with the filter when it is read.
    """

    decision_id: str
    decision_type: str
    timestamp_ms: int
    context: str | None
    text: str
    symbol: str | None = None
    tags: tuple[str, ...] = ()
    headlines: tuple[Headline, ...] = ()
    is_partial: bool = False

    @property
    def place(self) -> tuple[int, str]:
        """Where the decision is among others, ordered by time and id."""
        return self.timestamp_ms, self.decision_id

    def key(self, agent_id: str) -> DecisionKey:
        """Where the decision is stored."""
        return DecisionKey(agent_id, self.decision_type, self.timestamp_ms, self.decision_id)

    def headline(self, at_ms: int | None) -> Headline | None:
        """What the headline outcome said at a time; for None, what it says now."""
        known = [one for one in self.headlines if at_ms is None or one.since_ms <= at_ms]
        return known[-1] if known else None

    def as_line(self) -> str:
        """The row as a line of JSON; `from_line` reads it."""
        row = [self.decision_id, self.decision_type, self.timestamp_ms, self.context, self.text, self.symbol]
        return json.dumps([*row, self.tags, self.headlines, self.is_partial], separators=(",", ":"))

    @classmethod
    def from_line(cls, line: str) -> Self:
        """The row of a line; `ValueError` or another error of its kind if it is not one."""
        decision_id, decision_type, timestamp_ms, context, text, symbol, tags, headlines, is_partial = parsed_json(line)
        return cls(
            decision_id,
            decision_type,
            timestamp_ms,
            context,
            text,
            symbol,
            tuple(tags),
            tuple([Headline(*one) for one in headlines]),
            is_partial,
        )


def digest_of(decision: Decision) -> DigestRow:
    """What recall needs of a decision once it is not among the recent ones."""
    context, symbol = canonical_json(decision.context), symbol_of(decision)
    words = " ".join(strings_in(decision.context)), " ".join(strings_in(decision.reasoning))
    tags = sorted(tags_of(decision))
    has_context = len(context) <= MAX_CONTEXT_CHARACTERS
    has_symbol = symbol is None or len(symbol) <= MAX_SYMBOL_CHARACTERS
    has_tags = sum(map(len, tags)) <= MAX_TAGS_CHARACTERS
    headlines = [Headline(at_ms, one.success, importance_of(one)) for at_ms, one in headline_outcomes(decision)]
    return DigestRow(
        decision.decision_id,
        decision.decision_type,
        decision.timestamp_ms,
        context if has_context else None,
        " ".join([words[0][:MAX_CONTEXT_CHARACTERS], words[1][:MAX_REASONING_CHARACTERS]]),
        symbol if has_symbol else None,
        tuple(tags) if has_tags else (),
        tuple(headlines[-MAX_HEADLINES:]),
        not (has_context and has_symbol and has_tags),
    )


@dataclass(frozen=True, slots=True)
class PackedDay:
    """The digest of a day as an object, and its version: a hash of its rows, which is the same for the same rows."""

    body: bytes
    version: str


def pack(lines: Iterable[str]) -> PackedDay:
    """The object of a day's rows, each as `DigestRow.as_line` wrote it."""
    text = "\n".join([canonical_json({"format": FORMAT}), *lines]).encode()
    return PackedDay(gzip.compress(text, mtime=0), _version_of(text))


def unpack(name: str, body: bytes) -> tuple[list[DigestRow], str]:
    """The rows of an object that `pack` made, and their version.

    Raises:
        Damaged: it is not such an object; names it.
    """
    return parsed(name, _unpacked, body)


def _unpacked(body: bytes) -> tuple[list[DigestRow], str]:
    try:
        text = gzip.decompress(body)
    except _BAD_BYTES as error:
        raise ValueError(str(error)) from error
    first, *lines = text.decode().split("\n")
    _check_format(parsed_json(first))
    return [DigestRow.from_line(line) for line in lines], _version_of(text)


def _version_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def _check_format(document: Mapping[str, Any]) -> None:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']!r:.20} is not known")


@dataclass(frozen=True, slots=True)
class DayDigest:
    """What the manifest says of a day; a day without rows has no object.

    Attributes:
        version: of its rows.
        rows: how many there are.
        omitted_before_ms: decisions before this time are not in the digest, because there were too many; 0 if all are.
        damaged: how many items of the day could not be read.
    """

    version: str
    rows: int
    omitted_before_ms: int = 0
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class DigestManifest:
    """Which days of an agent have digests.

    Attributes:
        days: the days that have.
        through: the last day that a job has looked at; later ones have none. None before the first job.
        waiting: days up to then that have decisions, or may have, and are left to later jobs.
    """

    days: Mapping[date, DayDigest] = field(default_factory=dict)
    through: date | None = None
    waiting: frozenset[date] = frozenset()

    def as_body(self) -> bytes:
        """The manifest as an object."""
        days = {
            day.isoformat(): [one.version, one.rows, one.omitted_before_ms, one.damaged]
            for day, one in self.days.items()
        }
        document = {
            "format": FORMAT,
            "through": self.through and self.through.isoformat(),
            "waiting": sorted(one.isoformat() for one in self.waiting),
            "days": days,
        }
        return canonical_json(document).encode()

    @classmethod
    def from_body(cls, name: str, body: bytes) -> Self:
        """The manifest that `as_body` wrote.

        Raises:
            Damaged: it is not one; names it.
        """
        return parsed(name, cls._parsed, body)

    @classmethod
    def _parsed(cls, body: bytes) -> Self:
        document = parsed_json(body.decode())
        _check_format(document)
        return cls(
            {parse_date(day): DayDigest(*one) for day, one in document["days"].items()},
            parse_date(document["through"]) if document["through"] else None,
            frozenset(map(parse_date, document["waiting"])),
        )
