"""Evidence in columns, of a part of a record or of all of it, which adds up.

The parts of a record can be read by several machines, each in the memory that its part needs, and merged in any order
and grouping: the result is the same, bit for bit, as if one machine had read all of it. It is a sum of multisets, kept
in one canonical order, and loses nothing that learning uses. So counts, clusters that begin in one part and end in
another, and every estimate follow from the merged columns exactly as from a record in one piece
(`learning.evidence_table`).

Names that are as numerous as decisions, those of decisions and clusters, are kept as digests of 64 bits, which are the
same in every process and do not collide among millions in practice. A decision takes about 60 bytes with ten features.
"""

import hashlib
import json
import math
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from agent_memory.learning.array_types import FloatArray, IntArray
from agent_memory.learning.numbers import REWARDS
from agent_memory.model.evidence import Evidence

NO_CLUSTER = 0
"""The digest of no name."""

_EMPTY_DIGEST = hashlib.blake2b(digest_size=8)
_NAMES = "names.json"
_BLOCK = 1 << 18
_ROWS_AT_ONCE = 64  # of more, the processor would not keep the texts near
_COLUMNS = (
    "times",
    "success",
    "ids",
    "known",
    "logged",
    "amended",
    "clusters",
    "questions",
    "rewards",
    "lengths",
    "codes",
)


def name_digest(name: str) -> int:
    """A digest of 64 bits, signed, that is the same in every process; never `NO_CLUSTER`."""
    return int.from_bytes(_digests_of([name]), "little", signed=True) or 1


def _digests_of(names: Iterable[str]) -> bytes:
    """Digests of eight bytes, little-endian, one after the other."""
    digests = []
    for name in names:
        digest = _EMPTY_DIGEST.copy()  # faster than a new one
        digest.update(name.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return b"".join(digests)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Decisions of one type in canonical order: by time, failures first, then by the digest of their ids.

    Attributes:
        times: when each decision was made, in milliseconds since 1970, like `known` and `logged`.
        success: whether it succeeded; False without an outcome.
        ids: the digest of its id.
        known: since when its success is known.
        logged: when it was in the log.
        amended: whether its success was another one before.
        clusters: the digest of the name of its cluster, `NO_CLUSTER` for none.
        questions: its question, as a position in `TypeEvidence.questions`.
        rewards: its rewards, NaN for none; shape (decisions, names), the names are `TypeEvidence.rewards`.
        lengths: how many features it has.
        codes: the features of one decision after the other, as positions in `TypeEvidence.vocabulary`.
    """

    times: IntArray
    success: NDArray[np.bool_]
    ids: IntArray
    known: IntArray
    logged: IntArray
    amended: NDArray[np.bool_]
    clusters: IntArray
    questions: NDArray[Any]
    rewards: FloatArray
    lengths: NDArray[Any]
    codes: NDArray[Any]

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True, eq=False)
class TypeEvidence:
    """The evidence of one decision type: decisions with an outcome, and those without one.

    `vocabulary`, `questions` and `rewards`, the paths of rewards, are sorted, and have what occurs.
    """

    vocabulary: tuple[str, ...]
    questions: tuple[str, ...]
    rewards: tuple[str, ...]
    resolved: Columns
    pending: Columns


@dataclass(frozen=True, slots=True, eq=False)
class PartialEvidence:
    """The evidence of a part of a record by decision type. A decision is in one part only."""

    types: Mapping[str, TypeEvidence]

    @classmethod
    def of(cls, rows: Iterable[Evidence], rewards: Collection[str] = REWARDS) -> Self:
        """The evidence of rows, in any order. The iterable is read once, and its rows are not kept.

        Of their rewards those with these paths are read.
        """
        readers: dict[str, _TypeReader] = {}
        iterator = iter(rows)
        while batch := list(islice(iterator, _ROWS_AT_ONCE)):
            by_type: dict[str, list[Evidence]] = defaultdict(list)
            for row in batch:
                by_type[row.decision_type].append(row)
            for decision_type, of_type in by_type.items():
                if decision_type not in readers:
                    readers[decision_type] = _TypeReader(rewards)
                readers[decision_type].read(of_type)
        # Each reader is given up once its columns are built.
        return cls({name: readers.pop(name).columns() for name in sorted(readers)})

    @classmethod
    def merged(cls, parts: Sequence["PartialEvidence"]) -> Self:
        """The evidence of all parts; which comes first, and which were merged before, makes no difference."""
        names = sorted({name for part in parts for name in part.types})
        return cls({name: _merged([part.types[name] for part in parts if name in part.types]) for name in names})

    def save(self, folder: Path) -> None:
        """Write the columns to a folder, which is created, for `load` in another process."""
        folder.mkdir(parents=True)
        names = {name: [one.vocabulary, one.questions, one.rewards] for name, one in self.types.items()}
        (folder / _NAMES).write_text(json.dumps(names))
        for number, one in enumerate(self.types.values()):
            for kind, columns in (("resolved", one.resolved), ("pending", one.pending)):
                for column in _COLUMNS:
                    np.save(folder / f"{number}-{kind}-{column}.npy", getattr(columns, column))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` has written. Columns are mapped to memory, and read when they are used."""
        names = json.loads((folder / _NAMES).read_text())

        def columns(number: int, kind: str) -> Columns:
            files = {column: folder / f"{number}-{kind}-{column}.npy" for column in _COLUMNS}
            return Columns(**{column: np.load(file, mmap_mode="r") for column, file in files.items()})

        return cls(
            {
                name: TypeEvidence(
                    tuple(vocabulary),
                    tuple(questions),
                    tuple(rewards),
                    columns(number, "resolved"),
                    columns(number, "pending"),
                )
                for number, (name, (vocabulary, questions, rewards)) in enumerate(names.items())
            }
        )


class _Codes(dict[str, int]):
    """Numbers strings in the order in which they are first looked up."""

    def __missing__(self, text: str) -> int:
        self[text] = code = len(self)
        return code

    def in_order(self) -> tuple[tuple[str, ...], NDArray[Any]]:
        """The strings in order, and for each code the position of its string among them."""
        texts = sorted(self)
        position = np.empty(len(texts), dtype=_small_type(len(texts)))
        position[[self[text] for text in texts]] = np.arange(len(texts))
        return tuple(texts), position


class _TypeReader:
    """Collects the evidence of one decision type while it is read."""

    def __init__(self, rewards: Collection[str]) -> None:
        self._features, self._questions = _Codes(), _Codes()
        self.resolved, self.pending = (_ColumnsReader(self._features, self._questions, rewards) for _ in range(2))

    def read(self, rows: Sequence[Evidence]) -> None:
        resolved = [row for row in rows if row.success is not None]
        self.resolved.read(resolved)
        if len(resolved) < len(rows):
            self.pending.read([row for row in rows if row.success is None])

    def columns(self) -> TypeEvidence:
        vocabulary, feature_position = self._features.in_order()
        questions, question_position = self._questions.in_order()
        rewards = tuple(sorted(self.resolved.rewards))
        resolved, pending = (
            reader.columns(feature_position, question_position, rewards) for reader in (self.resolved, self.pending)
        )
        return TypeEvidence(vocabulary, questions, rewards, resolved, pending)


class _ColumnsReader:
    """Columns of rows, which are read some at a time: that takes less time than one after the other."""

    def __init__(self, features: _Codes, questions: _Codes, rewards: Collection[str]) -> None:
        self._code, self._question = features, questions
        self._times, self._known, self._logged = array("q"), array("q"), array("q")
        self._ids, self._clusters = bytearray(), array("q")
        self._wanted = rewards
        self.rewards: dict[str, array[float]] = {}
        """By path the rewards of the decisions up to the last one that has any."""
        self._success, self._amended = array("b"), array("b")
        self._codes, self._lengths, self._questions = array("i"), array("i"), array("i")

    def read(self, rows: Sequence[Evidence]) -> None:
        """Read rows, all with an outcome or all without one."""
        for number, row in enumerate(rows, len(self._times)):
            for path, value in row.rewards:
                if path in self._wanted:
                    column = self.rewards.setdefault(path, array("d"))
                    column.extend(repeat(math.nan, number - len(column)))
                    column.append(value)
        features = [row.features for row in rows]
        self._times.fromlist([row.timestamp_ms for row in rows])
        self._known.fromlist([row.known_ms for row in rows])
        self._logged.fromlist(
            [_logged_ms(row) if row.earlier or row.success is None else row.timestamp_ms for row in rows]
        )
        self._success.extend([bool(row.success) for row in rows])
        self._amended.extend([bool(row.earlier) and _is_amended(row) for row in rows])
        self._lengths.fromlist(list(map(len, features)))
        self._codes.fromlist(list(map(self._code.__getitem__, chain.from_iterable(features))))
        self._questions.fromlist([self._question[row.question] for row in rows])
        self._ids += _digests_of([row.decision_id for row in rows])
        self._clusters.extend([name_digest(row.cluster) if row.cluster else NO_CLUSTER for row in rows])

    def columns(
        self, feature_position: NDArray[Any], question_position: NDArray[Any], rewards: Sequence[str]
    ) -> Columns:
        lengths = _integers(self._lengths, np.int32)
        return _in_order(
            Columns(
                times=_integers(self._times),
                success=_integers(self._success, np.int8).astype(np.bool_),
                ids=_digests(self._ids),
                known=_integers(self._known),
                logged=_integers(self._logged),
                amended=_integers(self._amended, np.int8).astype(np.bool_),
                clusters=_integers(self._clusters),
                questions=question_position[_integers(self._questions, np.int32)],
                rewards=self._rewards(rewards),
                lengths=lengths.astype(_small_type(1 + int(lengths.max(initial=0)))),
                codes=feature_position[_integers(self._codes, np.int32)],
            )
        )

    def _rewards(self, paths: Sequence[str]) -> FloatArray:
        found = np.full((len(self._times), len(paths)), np.nan)
        for number, path in enumerate(paths):
            values = np.array(self.rewards.get(path, ()), dtype=np.float64)
            found[: len(values), number] = values
        return found


def _logged_ms(row: Evidence) -> int:
    """When the decision was in the log."""
    begins_ms, first = row.earlier[0] if row.earlier else (row.known_ms, row.success)
    return begins_ms if first is None else row.timestamp_ms


def _is_amended(row: Evidence) -> bool:
    return any(success is not None for _, success in row.earlier)


def _integers(column: "array[int]", kind: Any = np.int64) -> NDArray[Any]:
    return np.frombuffer(column, dtype=kind)


def _digests(column: bytearray) -> IntArray:
    """Digests as numbers, as `name_digest` has them."""
    found = np.frombuffer(column, dtype="<i8").astype(np.int64, copy=False)
    found[found == NO_CLUSTER] = 1
    return found


def _small_type(count: int) -> Any:
    """The smallest type of the numbers from 0 up to, not including, a count."""
    return np.min_scalar_type(max(count - 1, 0))


def _merged(parts: Sequence[TypeEvidence]) -> TypeEvidence:
    vocabulary = tuple(sorted({feature for part in parts for feature in part.vocabulary}))
    questions = tuple(sorted({question for part in parts for question in part.questions}))
    rewards = tuple(sorted({path for part in parts for path in part.rewards}))
    feature_codes = [_positions(part.vocabulary, vocabulary) for part in parts]
    question_codes = [_positions(part.questions, questions) for part in parts]

    reward_codes = [_positions(part.rewards, rewards) for part in parts]

    def rewards_of(one: Columns, codes: NDArray[Any]) -> FloatArray:
        found = np.full((len(one), len(rewards)), np.nan)
        found[:, codes] = one.rewards
        return found

    def merged(columns: Sequence[Columns]) -> Columns:
        longest = max(int(one.lengths.max(initial=0)) for one in columns)
        plain = {
            name: np.concatenate([getattr(one, name) for one in columns])
            for name in ("times", "success", "ids", "known", "logged", "amended", "clusters")
        }
        return _in_order(
            Columns(
                **plain,
                questions=np.concatenate(
                    [codes[one.questions] for one, codes in zip(columns, question_codes, strict=True)]
                ),
                rewards=np.concatenate(
                    [rewards_of(one, codes) for one, codes in zip(columns, reward_codes, strict=True)]
                ),
                lengths=np.concatenate([one.lengths.astype(_small_type(1 + longest)) for one in columns]),
                codes=np.concatenate([codes[one.codes] for one, codes in zip(columns, feature_codes, strict=True)]),
            )
        )

    return TypeEvidence(
        vocabulary,
        questions,
        rewards,
        merged([part.resolved for part in parts]),
        merged([part.pending for part in parts]),
    )


def _positions(names: Sequence[str], among: Sequence[str]) -> NDArray[Any]:
    """The position of each name among others."""
    position = {name: number for number, name in enumerate(among)}
    return np.array([position[name] for name in names], dtype=_small_type(len(among)))


def _in_order(columns: Columns) -> Columns:
    """The same decisions in canonical order."""
    order = np.lexsort((columns.ids, columns.success, columns.times))
    if np.array_equal(order, np.arange(len(order))):
        return columns
    in_order = {name: getattr(columns, name)[order] for name in _COLUMNS if name != "codes"}
    return Columns(**in_order, codes=_codes_in_order(columns, order))


def _codes_in_order(columns: Columns, order: IntArray) -> NDArray[Any]:
    """The features of decisions in another order, copied in blocks: their positions take more memory than they do."""
    starts = np.cumsum(columns.lengths, dtype=np.int64) - columns.lengths
    codes, filled = np.empty_like(columns.codes), 0
    for block in range(0, len(order), _BLOCK):
        which = order[block : block + _BLOCK]
        lengths = columns.lengths[which]
        # Of the features of the block: the start of their decision, and their place in it.
        first = np.cumsum(lengths, dtype=np.int64) - lengths
        entries = np.repeat(starts[which] - first, lengths)
        entries += np.arange(len(entries))
        codes[filled : filled + len(entries)] = columns.codes[entries]
        filled += len(entries)
    return codes
