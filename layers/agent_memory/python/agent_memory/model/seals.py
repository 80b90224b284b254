"""Seals of the archive: the hashes of rows, days and the chain of days. All hashes are SHA-256 in hex.

    row        hash of its canonical JSON, without columns that are null
    day        `root`: hash of its rows' full hashes, in order
    manifest   describes a day, with its root and the hash of the manifest that was written before
    head       number and hash of the last manifest, stored in the table, apart from the archive

A day that is written again has another manifest, its next revision; earlier ones are kept because they are links of the
chain. Each agent has one chain of its days, in the order in which they were written.
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
"""Column with the beginning of a row's hash, by which verification can name a changed row."""

_SHORT_HASH_CHARACTERS = 3
_EARLIER_SHORT_HASH_CHARACTERS = 16


def sha256(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def row_hash(row: Mapping[str, Any]) -> str:
    """Hash of a row of the file. Null columns are left out, so that columns that are added later change no hash."""
    content = {name: value for name, value in row.items() if name != ROW_HASH and value is not None}
    return sha256(canonical_json(content).encode())


def short_hash(full_hash: str) -> str:
    """The beginning of a row's hash: it names all but one in 4,096 changed rows. The root seals the full hashes."""
    return full_hash[:_SHORT_HASH_CHARACTERS]


def is_short_hash(text: object, full_hash: str) -> bool:
    """Whether a text is the beginning of a row's hash that is stored with it, now or in earlier versions."""
    return text in (short_hash(full_hash), full_hash[:_EARLIER_SHORT_HASH_CHARACTERS])


def root_hash(row_hashes: Iterable[str]) -> str:
    """Hash of a day: of the full hashes of its rows, in order."""
    digest, separator = hashlib.sha256(), b""
    for one in row_hashes:
        digest.update(separator + one.encode())
        separator = b"\n"
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class ManifestLink:
    """A reference to a manifest: its number in the chain, its day and revision, the time of writing, its hash."""

    sequence: int
    date: str
    revision: int
    archived_at: str
    hash: str

    @property
    def day(self) -> dt.date:
        """The day that the manifest describes."""
        return parse_date(self.date)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The link in a JSON value; `ValueError` if it is not a link."""
        return cls(**_fields(cls, value))


@dataclass(frozen=True, slots=True)
class Manifest:
    """The seal of one revision of a day.

    `rows` and `with_outcome` are numbers of decisions, `first` and `last` the times of the first and the last one;
    `file_bytes` and `file_sha256` describe the file, `root` its rows. `sequence` is the number in the chain from 1,
    `revision` counts how often this day was written.
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
    previous: ManifestLink | None

    @property
    def day(self) -> dt.date:
        """The day that it describes."""
        return parse_date(self.date)

    def as_dict(self) -> dict[str, Any]:
        """The manifest as a JSON object."""
        return asdict(self)

    def body(self) -> bytes:
        """The bytes of the manifest's object."""
        return canonical_json(self.as_dict()).encode()

    def link(self) -> ManifestLink:
        """The link that the next manifest has to this one."""
        return ManifestLink(self.sequence, self.date, self.revision, self.archived_at, sha256(self.body()))

    def file(self) -> "AnnouncedFile":
        """The file that it describes."""
        return AnnouncedFile(self.date, self.revision, self.file_sha256)

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The manifest in a JSON value; `ValueError` if it is not a manifest."""
        values = _fields(cls, value)
        previous = values.pop("previous")
        return cls(**values, previous=None if previous is None else ManifestLink.from_json(previous))

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """The manifest of an object's bytes; `ValueError` unless they are exactly what `body` returns."""
        manifest = cls.from_json(json.loads(body))
        if manifest.body() != body:
            raise ValueError("is not canonical JSON")
        return manifest


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """A file that was announced as a revision of a day, and not sealed. A job may still write it."""

    date: str
    revision: int
    file_sha256: str

    @classmethod
    def from_json(cls, value: object) -> Self:
        """The announced file in a JSON value; `ValueError` if it is not one."""
        return cls(**_fields(cls, value))


@dataclass(frozen=True, slots=True)
class Chain:
    """The end of a chain.

    Attributes:
        head: the link to its last manifest.
        pending: the manifest that a job is writing. If it is the one of the head, only its object may be missing;
            else it is announced only, and its file may be missing too.
        withdrawn: files that were announced, and not there when another job looked for them.
    """

    head: ManifestLink | None = None
    pending: Manifest | None = None
    withdrawn: tuple[AnnouncedFile, ...] = ()

    def announces(self, day: dt.date, revision: int, file_sha256: str) -> bool:
        """Whether a file with this hash may have been written as this revision of a day, without being sealed yet."""
        file = AnnouncedFile(day.isoformat(), revision, file_sha256)
        return file in self.withdrawn or (self.pending is not None and self.pending.file() == file)

    def as_dict(self) -> dict[str, Any]:
        """The data of the agent's state that stores the chain's end."""
        return {
            "head": asdict(self.head) if self.head else None,
            "pending": self.pending.as_dict() if self.pending else None,
            **({"withdrawn": [asdict(one) for one in self.withdrawn]} if self.withdrawn else {}),
        }

    @classmethod
    def from_state(cls, state: State | None) -> Self:
        """The chain's end in a state; `ValueError` if it is not one."""
        data: Document = state.data if state else {}
        head, pending, withdrawn = data.get("head"), data.get("pending"), data.get("withdrawn", [])
        if not isinstance(withdrawn, list):
            raise ValueError("withdrawn is not a list")  # noqa: TRY004  as every other fault of a stored chain
        return cls(
            ManifestLink.from_json(head) if head else None,
            Manifest.from_json(pending) if pending else None,
            tuple(map(AnnouncedFile.from_json, withdrawn)),
        )


def _fields(cls: type[Any], value: object) -> dict[str, Any]:
    """The fields of a dataclass in a JSON object, which must have exactly these, with values of their types."""
    if not isinstance(value, Mapping) or set(value) != {field.name for field in fields(cls)}:
        raise ValueError("has missing or unknown fields")
    for field in fields(cls):
        if field.type in (int, str) and type(value[field.name]) is not field.type:
            raise ValueError(f"{field.name} has the wrong type")
    try:
        parse_date(value["date"])
        if "archived_at" in value:
            parse_instant(value["archived_at"])
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    return dict(value)
