"""Long-term memory of one agent. Every method blocks; agents use `MemoryManager`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

from agent_memory.core import ids
from agent_memory.core.checks import check_expected_version, check_number, check_text
from agent_memory.core.clock import Clock, Instant, parse_instant, to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.conditions import meets_all
from agent_memory.core.errors import Conflict, Damaged, InvalidInput, NotFound, shown
from agent_memory.core.json_values import Document, canonical_json, check_mapping, check_object
from agent_memory.core.keys import history_sk
from agent_memory.core.retries import retry_conflicts
from agent_memory.memory.meaning import stored_embedding
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.memory.text_words import stored_words
from agent_memory.model.listings import (
    MAX_ANSWER_BYTES,
    Listing,
    OnUnreadable,
    Unreadable,
    fitting,
    raise_error,
)
from agent_memory.model.memories import MAX_REASON, Memory
from agent_memory.model.recalled_parts import memory_texts
from agent_memory.ports.embedder import Embedder
from agent_memory.ports.memories import MemoryStore

# Fields of a memory that are not part of its data.
_OWN_FIELDS = frozenset(
    {"agent_id", "pattern_id", "memory_type", "confidence", "learned_at", "updated_at", "version"}
    | {"changed_by", "reason", "changed_as", "access_count", "last_accessed", "changed_by_claimed"}
)
_LEARNED_AT = "learned_at"
_TIMES = (_LEARNED_AT, "updated_at", "last_accessed")
QUARANTINED = "quarantined"
"""The field that the version which removes a memory for quarantine adds to its data."""


class LongTermMemory:
    """Versioned memories of what an agent has learned, ordered by confidence.

    `writer` is recorded as the author of changes, by default the agent itself; `principal` is recorded as the author's
    IAM principal. With `embedder`, each version is stored with a vector of its text.
    """

    def __init__(
        self,
        agent_id: str,
        store: MemoryStore,
        clock: Clock,
        *,
        writer: str | None = None,
        principal: str | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self._embedder = embedder
        self.agent_id = self._agent_id = agent_id
        self.store = self._store = store
        self._clock = clock
        self._writer = writer or agent_id
        self._principal = principal

    def put(
        self,
        memory_type: str,
        pattern_id: str,
        data: Document,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> Memory:
        """Store a memory, or its next version if it has changed.

        `data["confidence"]` is between 0 and 1; without it, or with None, the memory states no confidence.
        `data["learned_at"]` is the time at which a new memory was learned, by default now; later versions keep it. With
        `expected_version` (0: none yet), the change is only made if that is the current version; with 0, a new memory
        is stored without reading what is there first.

        Raises:
            InvalidInput: names the field. Conflict: the current version is not the expected one.
        """
        memory_type, pattern_id = ids.check_memory_type(memory_type), ids.check_pattern_id(pattern_id)
        data = check_object("data", learned_time_as_text(data), "")
        expected_version = check_expected_version(expected_version)
        if expected_version is None:
            return self._retry_conflicts(
                memory_type,
                pattern_id,
                lambda current: self.put_after(current, memory_type, pattern_id, data, reason=reason),
            )
        if expected_version == 0:
            # One request instead of three. Refused is also what was there before, or is quarantined, as is seen below.
            with suppress(Conflict):
                return self._put_next((memory_type, pattern_id), None, data, _check_reason(reason), 0)
        current = self._store.get(self._agent_id, memory_type, pattern_id)
        version = current.version if current else 0
        if version != expected_version:
            raise Conflict(f"{memory_type} {pattern_id} is at version {version}, not {expected_version}")
        return self.put_after(current, memory_type, pattern_id, data, reason=reason)

    def put_after(
        self, current: Memory | None, memory_type: str, pattern_id: str, data: Document, *, reason: str | None = None
    ) -> Memory:
        """As `put`, for a caller that has read the current version; raises `Conflict` if it has changed since."""
        check_object("data", data)
        why = _check_reason(reason)
        data = check_object("data", data, "")
        last = current or self._store.last_removal(self._agent_id, memory_type, pattern_id)
        if last is not None and is_quarantined(last):
            why_not = (
                f"{memory_type} {pattern_id} of {self._agent_id} is quarantined; release it before storing it again"
            )
            raise InvalidInput("pattern_id", why_not)
        return self._put_next((memory_type, pattern_id), current, data, why, last.version if last else 0)

    def _put_next(
        self, name: tuple[str, str], current: Memory | None, data: Document, why: str | None, last: int
    ) -> Memory:
        """Store the version after `last` of the memory with this type and id, unless nothing has changed."""
        memory_type, pattern_id = name
        confidence = None if data.get("confidence") is None else check_confidence(data["confidence"])
        identity = {"agent_id": self._agent_id, "memory_type": memory_type, "pattern_id": pattern_id}
        content = _without_own_fields(data, identity)
        now_ms = self._clock.now_ms()
        learned_ms = _learned_ms(data, now_ms)
        if current and current.confidence == confidence and canonical_json(current.data) == canonical_json(content):
            return current
        memory = Memory(
            agent_id=self._agent_id,
            memory_type=memory_type,
            pattern_id=pattern_id,
            confidence=confidence,
            data=content,
            learned_ms=current.learned_ms if current else learned_ms,
            updated_ms=now_ms,
            version=last + 1,
            changed_by=self._writer,
            reason=why,
            changed_as=self._principal,
            embedding=stored_embedding(self._embedder, content),
            words=stored_words(*memory_texts(pattern_id, content)),
        )
        self._store.put(memory, after=current)
        return memory

    def get(self, memory_type: str, pattern_id: str) -> Memory:
        """The current version of one memory.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory.
        """
        memory_type, pattern_id = ids.check_memory_type(memory_type), ids.check_pattern_id(pattern_id)
        memory = self._store.get(self._agent_id, memory_type, pattern_id)
        if memory is None:
            raise self._not_found(memory_type, pattern_id)
        return memory

    def delete(self, memory_type: str, pattern_id: str, *, reason: str, expected_version: int | None = None) -> Memory:
        """Remove one memory, and return the version that records it in the history, which is kept.

        A memory that is removed already is left as it is, so that a request may be repeated. With `expected_version`,
        only that version is removed.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory was ever stored.
            Conflict: the current version is not the expected one.
        """
        memory_type, pattern_id = ids.check_memory_type(memory_type), ids.check_pattern_id(pattern_id)
        why = check_text("reason", reason, MAX_REASON)
        expected_version = check_expected_version(expected_version)

        def change(current: Memory | None) -> Memory:
            if current is None:
                return self._last_removal(memory_type, pattern_id)
            if expected_version is not None and current.version != expected_version:
                raise Conflict(f"{memory_type} {pattern_id} is at version {current.version}, not {expected_version}")
            return self._remove(current, current.data, why)

        if expected_version is not None:
            return change(self._store.get(self._agent_id, memory_type, pattern_id))
        return self._retry_conflicts(memory_type, pattern_id, change)

    def _last_removal(self, memory_type: str, pattern_id: str) -> Memory:
        last = self._store.last_removal(self._agent_id, memory_type, pattern_id)
        if last is None or not last.is_removed:
            raise self._not_found(memory_type, pattern_id)
        return last

    def _not_found(self, memory_type: str, pattern_id: str) -> NotFound:
        return NotFound(f"{self._agent_id} has no {memory_type} {pattern_id}")

    def remove(self, memory: Memory, *, reason: str) -> None:
        """Remove a memory that was read before. Its history is kept, with the author and the reason of the removal.

        Raises:
            Conflict: it has changed since it was read.
        """
        self._remove(memory, memory.data, reason)

    def quarantine(self, memory: Memory, *, reason: str) -> None:
        """Remove a memory as `remove` does, and let nobody store it again until it is released."""
        self._remove(memory, {**memory.data, QUARANTINED: True}, reason)

    def release(self, memory_type: str, pattern_id: str, *, reason: str) -> Memory | None:
        """Store a memory that is quarantined again, as it was before; None if it is not quarantined."""
        versions = self.history(memory_type, pattern_id)
        if not versions or not is_quarantined(versions[-1]):
            return None
        data = {name: value for name, value in versions[-1].data.items() if name != QUARANTINED}
        content = {**data, "confidence": versions[-1].confidence}
        why = _check_reason(reason)
        return self._put_next((memory_type, pattern_id), None, content, why, versions[-1].version)

    def _remove(self, memory: Memory, data: Document, reason: str) -> Memory:
        removal = replace(
            memory,
            data=data,
            version=memory.version + 1,
            updated_ms=self._clock.now_ms(),
            changed_by=self._writer,
            reason=_check_reason(reason),
            changed_as=self._principal,
            is_removed=True,
            embedding=None,
            words=None,
        )
        self._store.remove(removal, after=memory)
        return removal

    def find(
        self,
        memory_type: str,
        filters: Document | None = None,
        *,
        as_of: Instant | None = None,
        on_unreadable: OnUnreadable = raise_error,
    ) -> list[Memory]:
        """Memories of a type that match every filter, most confident first; with `as_of`, as they were at that time.

        The filter `min_confidence` is the lowest confidence that a memory may state; memories that state none meet it
        too, and come last. Every other filter is a condition on a field of the memory, see `core.conditions`.
        """
        memory_type = ids.check_memory_type(memory_type)
        conditions = memory_conditions(filters)
        min_confidence = check_confidence(conditions.pop("min_confidence", 0.0), "min_confidence")
        at_ms = None if as_of is None else parse_instant(as_of, "as_of")
        if isinstance(conditions.get("pattern_id"), str):
            memories = self._find_named(memory_type, conditions["pattern_id"], at_ms, on_unreadable)
        elif at_ms is None:
            memories = self._store.by_confidence(
                self._agent_id, memory_type, min_confidence, on_unreadable=on_unreadable
            )
        else:
            versions = self._store.versions_at(self._agent_id, memory_type, at_ms, on_unreadable=on_unreadable)
            memories = iter(sorted(versions, key=lambda memory: memory.rank, reverse=True))
        found = [one for one in memories if one.confidence is None or one.confidence >= min_confidence]
        return [memory for memory in found if meets_all(memory.as_dict(), conditions)] if conditions else found

    def _find_named(
        self, memory_type: str, pattern_id: str, at_ms: int | None, on_unreadable: OnUnreadable
    ) -> Iterator[Memory]:
        """The memory of an id, at a time or now: no other one is read."""
        try:
            name = ids.check_pattern_id(pattern_id)
        except InvalidInput:  # no memory has such an id
            return
        if at_ms is not None:
            yield from self._store.versions_at(
                self._agent_id, memory_type, at_ms, pattern_id=name, on_unreadable=on_unreadable
            )
            return
        try:
            current = self._store.get(self._agent_id, memory_type, name)
        except Damaged as error:
            on_unreadable(Unreadable(name, error, name))
        else:
            if current is not None:
                yield current

    def find_all(self, memory_types: Iterable[str], *, on_unreadable: OnUnreadable) -> list[Memory]:
        """All memories of several types, in no particular order."""

        def find(memory_type: str) -> list[Memory]:
            return list(self._store.by_confidence(self._agent_id, memory_type, on_unreadable=on_unreadable))

        return list(chain.from_iterable(map_concurrently(find, list(memory_types))))

    def own_types(self) -> list[str]:
        """The types that are none of `MemoryType`, of which there are or were memories, sorted."""
        return self._store.own_types(self._agent_id)

    def set_confidence(
        self, memory_type: str, pattern_id: str, confidence: float, *, reason: str | None = None
    ) -> Memory:
        """Store the next version of a memory with another confidence (0 to 1) and the same data.

        Raises:
            InvalidInput: names the argument. NotFound: no such memory.
        """
        memory_type, pattern_id = ids.check_memory_type(memory_type), ids.check_pattern_id(pattern_id)
        new_confidence = check_confidence(confidence, "new_confidence")
        _check_reason(reason)

        def change(current: Memory | None) -> Memory:
            if current is None:
                raise self._not_found(memory_type, pattern_id)
            data = {**current.data, "confidence": new_confidence}
            return self.put_after(current, memory_type, pattern_id, data, reason=reason)

        return self._retry_conflicts(memory_type, pattern_id, change)

    def history(self, memory_type: str, pattern_id: str, *, on_unreadable: OnUnreadable = raise_error) -> list[Memory]:
        """Every version of a memory, oldest first, including those that record a removal."""
        memory_type, pattern_id = ids.check_memory_type(memory_type), ids.check_pattern_id(pattern_id)
        return self._store.history(self._agent_id, memory_type, pattern_id, on_unreadable=on_unreadable)

    def changes(
        self, memory_type: str, pattern_id: str, *, max_answer_bytes: int = MAX_ANSWER_BYTES
    ) -> Listing[dict[str, Any]]:
        """Every change of a memory, oldest first, with its time, author, reason, and the values before and after.

        The change after a version that cannot be read is relative to the last one that can.
        """
        unreadable: list[Unreadable] = []
        versions = self.history(memory_type, pattern_id, on_unreadable=unreadable.append)
        return fitting(
            [_change(before, after) for before, after in zip([None, *versions], versions, strict=False)],
            as_dict=dict,
            id_of=lambda change: history_sk(pattern_id, change["version"]),
            max_bytes=max_answer_bytes,
            missing=[one.as_dict() for one in unreadable],
            read_directly="retrieve_ltm and as_of, or over HTTP with MemoryManager",
        )

    def _retry_conflicts(self, memory_type: str, pattern_id: str, change: Callable[[Memory | None], Memory]) -> Memory:
        return retry_conflicts(lambda: change(self._store.get(self._agent_id, memory_type, pattern_id)))


def is_quarantined(version: Memory) -> bool:
    """Whether the last version of a memory's history says that it is quarantined."""
    return version.is_removed and version.data.get(QUARANTINED) is True


def _change(before: Memory | None, after: Memory) -> dict[str, Any]:
    old = {**before.data, "confidence": before.confidence} if before and not before.is_removed else {}
    new = {} if after.is_removed else {**after.data, "confidence": after.confidence}
    fields = {
        name: {"before": old.get(name), "after": new.get(name)}
        for name in sorted({*old, *new})
        if canonical_json(old.get(name)) != canonical_json(new.get(name))
    }
    return {
        "version": after.version,
        "at": to_iso(after.updated_ms),
        "changed_by": after.changed_by,
        "changed_as": after.changed_as,
        "changed_by_claimed": after.changed_by_claimed,
        "reason": after.reason,
        "removed": after.is_removed,
        "changes": fields,
    }


def consolidate_value(
    short_term: ShortTermMemory, long_term: LongTermMemory, stm_key: str, pattern_type: str
) -> Memory:
    """Store a value of short-term memory as a long-term memory; its id is the value's `pattern_id`, or else the key.

    Raises:
        InvalidInput: an invalid key or type, or the value is not a JSON object. NotFound: the value has expired.
        Unavailable: the cache or the table did not respond.
    """
    pattern_type = ids.check_memory_type(pattern_type, "pattern_type")
    stm_key = ids.check_stm_key(stm_key, "stm_key")
    value = short_term.get(stm_key)
    if value is None:
        raise NotFound(f"short-term memory has no value under {stm_key}; it was never stored or has expired")
    if not isinstance(value, dict):
        raise InvalidInput("stm_key", f"the value is a {type(value).__name__}; a long-term memory is a JSON object")
    return long_term.put(pattern_type, value.get("pattern_id", stm_key), value, reason=f"consolidated from {stm_key}")


def _check_reason(value: object) -> str | None:
    return None if value is None else check_text("reason", value, MAX_REASON)


def check_confidence(value: object, field: str = "confidence") -> float:
    """Return a confidence from 0 to 1 as a float, or raise `InvalidInput`."""
    number = check_number(field, value, "a number from 0 to 1")
    if not 0 <= number <= 1:
        raise InvalidInput(field, f"{shown(value)} is not a number from 0 to 1")
    return number


def _without_own_fields(data: Document, identity: Mapping[str, str]) -> dict[str, Any]:
    """The data of a memory without the fields that every memory has itself.

    These may be present as far as nothing is lost with them: all of them, as in a memory that was read, those that
    repeat the memory's identity, and the time at which it was learned.

    Raises:
        InvalidInput: another field has the name of one of them.
    """
    own = _OWN_FIELDS & data.keys()
    if own < _OWN_FIELDS:
        for name in sorted(own - {"confidence", _LEARNED_AT}):
            if data[name] != identity.get(name):
                raise InvalidInput(f"/{name}", "every memory has a field of this name itself; choose another")
    return {name: value for name, value in dict(data).items() if name not in own}


def learned_time_as_text(data: Document) -> Document:
    """The data of a memory, with its `learned_at`, which may be a time in any form, as text."""
    if not isinstance(data, Mapping) or not isinstance(data.get(_LEARNED_AT), datetime | int | float):
        return data
    return {**data, _LEARNED_AT: to_iso(parse_instant(data[_LEARNED_AT], f"/{_LEARNED_AT}"))}


def _learned_ms(data: Document, now_ms: int) -> int:
    """The time at which a new memory was learned: what its data say, unless it is a memory that was read, or now."""
    if _LEARNED_AT not in data or data.keys() >= _OWN_FIELDS:
        return now_ms
    return parse_instant(data[_LEARNED_AT], f"/{_LEARNED_AT}")


def memory_conditions(filters: object) -> dict[str, Any]:
    """Filters as conditions on the fields of a memory; times as text, as the fields have them."""
    if filters is None:
        return {}
    given = check_mapping("filters", filters)
    times = {name: given[name] for name in _TIMES if given.get(name) is not None}
    conditions = check_object("filters", {name: value for name, value in given.items() if name not in times})
    return {**conditions, **{name: to_iso(parse_instant(at, f"filters/{name}")) for name, at in times.items()}}
