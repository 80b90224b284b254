"""Seals of the archive: what a row, a day and the chain of days must hash to. All hashes are SHA-256 in hex.

    row        hash of its canonical JSON, without the columns that are null
    day        `root`: hash of its rows' whole hashes, in order
    manifest   what is said of a day, its root and the hash of the manifest that was written before it
    head       number and hash of the last manifest, kept in the table, apart from the archive

A day that is written again has a further manifest, its next revision; the earlier ones stay, since the chain goes
through them. One chain is one agent's days, in the order in which they were written.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from agent_memory.core.clock import parse_date, parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import Document, canonical_json
from agent_memory.model.states import State

ROW_HASH = "row_hash"
"""Column that keeps the beginning of a row's hash beside it, so that a changed row can be named."""

_KEPT_OF_ROW_HASH = 16


def sha256(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def row_hash(row: Mapping[str, Any]) -> str:
    """Hash of a row as it stands in the file. Null columns are left out, so that later columns change no hash."""
    content = {name: value for name, value in row.items() if name != ROW_HASH and value is not None}
    return sha256(canonical_json(content).encode())


def short_hash(hash_of_row: str) -> str:
    """What is kept of a row's hash beside the row: 16 characters, enough to name it; the root seals the whole."""
    return hash_of_row[:_KEPT_OF_ROW_HASH]


def root_hash(row_hashes: Iterable[str]) -> str:
    """Hash of a day, of the whole hashes of its rows in order."""
    return sha256("\n".join(row_hashes).encode())


@dataclass(frozen=True, slots=True)
class Link:
    """Names a manifest: its number in the chain, the day and revision that it is of, when it was made, its hash."""

    sequence: int
    date: str
    revision: int
    archived_at: str
    hash: str

    @property
    def day(self) -> dt.date:
        """The day that the manifest is of."""
        return parse_date(self.date)

    @classmethod
    def read(cls, given: object) -> Self:
        """The link that was written; `ValueError` for what is none."""
        return cls(**_fields(cls, given))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is sealed of one writing of a day.

    `rows` and `with_outcome` count; `first` and `last` are the times of its decisions; `file_bytes` and `file_sha256`
    are of the file, `root` of its rows. `sequence` counts the chain from 1, `revision` the writings of this day.
    """

    agent_id: str
    date: str
    revision: int
    rows: int
    with_outcome: int
    first: str
    last: str
    file_bytes: int
    file_sha256: str
    root: str
    sequence: int
    archived_at: str
    previous: Link | None

    @property
    def day(self) -> dt.date:
        """The day that it is of."""
        return parse_date(self.date)

    def as_dict(self) -> dict[str, Any]:
        """The manifest as JSON."""
        return asdict(self)

    def body(self) -> bytes:
        """The manifest as it is written."""
        return canonical_json(self.as_dict()).encode()

    def link(self) -> Link:
        """What the next manifest says of this one."""
        return Link(self.sequence, self.date, self.revision, self.archived_at, sha256(self.body()))

    @classmethod
    def read(cls, given: object) -> Self:
        """The manifest that was written; `ValueError` for what is none."""
        values = _fields(cls, given)
        previous = values.pop("previous")
        return cls(**values, previous=None if previous is None else Link.read(previous))

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """The manifest that was written, to the byte; `ValueError` for anything else."""
        manifest = cls.read(json.loads(body))
        if manifest.body() != body:
            raise ValueError("is not written as manifests are")
        return manifest


@dataclass(frozen=True, slots=True)
class Chain:
    """The end of a chain: its last manifest, and the one that is being written, if a night was cut short."""

    head: Link | None = None
    pending: Manifest | None = None

    def as_dict(self) -> dict[str, Any]:
        """The chain's end as a state of the agent."""
        return {
            "head": asdict(self.head) if self.head else None,
            "pending": self.pending.as_dict() if self.pending else None,
        }

    @classmethod
    def of(cls, state: State | None) -> Self:
        """The chain's end as it was kept; `ValueError` for what is none."""
        data: Document = state.data if state else {}
        head, pending = data.get("head"), data.get("pending")
        return cls(Link.read(head) if head else None, Manifest.read(pending) if pending else None)


def _fields(cls: type[Any], given: object) -> dict[str, Any]:
    """The fields of a dataclass out of a JSON object that has these, of their types, and no others."""
    if not isinstance(given, Mapping) or set(given) != {field.name for field in fields(cls)}:
        raise ValueError("has other fields")
    for field in fields(cls):
        if field.type in (int, str) and type(given[field.name]) is not field.type:
            raise ValueError(f"{field.name} is of another type")
    try:
        parse_date(given["date"])
        parse_instant(given["archived_at"])
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    return dict(given)
