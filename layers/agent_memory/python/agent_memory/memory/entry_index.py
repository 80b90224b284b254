"""The entries of one place, such as an agent's memories or its recent decisions, kept ready to be ranked."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, TypeVar

from agent_memory.memory.entry_columns import EntryColumns
from agent_memory.memory.text_index import TextIndex, TextStatistics
from agent_memory.memory.text_words import StoredWords, TextWords
from agent_memory.memory.vectors import Vectors

T = TypeVar("T")


class Entry(NamedTuple):
    """A memory or a decision to rank.

    `importance` is 0 or more, `timestamp` is in seconds since the epoch. The words of `heading` count more than those
    of `text`. `half_life` is in seconds; without one, that of other kinds is used. Instead of texts, an entry may have
    `stored_words`, which `TextWords.encoded` returned, and `texts`, which makes text and heading of the payload if
    these are no use.
    """

    id: str
    kind: str
    text: str
    importance: float
    timestamp: float
    symbol: str | None = None
    payload: Any = None
    heading: str = ""
    half_life: float | None = None
    stored_words: str | None = None
    texts: Callable[[Any], tuple[str, str]] | None = None

    def words(self) -> TextWords | StoredWords:
        """The words by which the entry is found."""
        stored = None if self.stored_words is None else StoredWords.of(self.stored_words)
        return stored or TextWords.of(*(self.texts(self.payload) if self.texts else (self.text, self.heading)))

    @property
    def text_key(self) -> Hashable:
        """What only entries with the same words have in common."""
        return self.stored_words or (self.text, self.heading)


def memory_entry_id(agent_id: str, memory_type: str, pattern_id: str) -> str:
    """The id of a memory's entry; a decision's is its own id."""
    return f"{agent_id}/{memory_type}/{pattern_id}"


class EntryIndex:
    """Entries by id, with the index of their texts. `sync` brings it up to date."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.texts = TextIndex()
        self.columns = EntryColumns()
        self._numbers: dict[str, int] = {}
        self._entries: list[Entry | None] = []
        self._vectors: dict[str, Vectors] = {}
        self.put(entries)

    def numbered(self) -> list[tuple[int, Entry]]:
        """The entries with their numbers in the index of texts."""
        return [(number, entry) for number, entry in enumerate(self._entries) if entry is not None]

    @property
    def entries(self) -> Sequence[Entry | None]:
        """The entries by their numbers; None under those that are not used any more."""
        return self._entries

    def __len__(self) -> int:
        return len(self._numbers)

    def kinds(self) -> Sequence[str]:
        """The kinds of entries that are or were here."""
        return list(self.columns.kinds)

    def number_of(self, entry_id: str) -> int | None:
        """The number of the entry with an id."""
        return self._numbers.get(entry_id)

    def vectors(self, model: str) -> Vectors:
        """The vectors of entries by an embedder, by their numbers."""
        return self._vectors.setdefault(model, Vectors())

    def statistics(self, stems: Iterable[str], *, before: float | None = None) -> TextStatistics:
        """The frequencies of words in all entries, or in those of before a time."""
        return self.texts.statistics(stems, None if before is None else self.columns.before(before))

    def get(self, entry_id: str) -> Entry | None:
        """The entry with an id."""
        number = self._numbers.get(entry_id)
        return None if number is None else self._entries[number]

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries, or replace those with their ids; the same text is not indexed again."""
        new: list[Entry] = []
        if not self._numbers:  # as when it is made
            new, entries = list(entries), ()
        for entry in entries:
            number = self._numbers.get(entry.id)
            before = None if number is None else self._entries[number]
            if number is None or before is None:
                new.append(entry)
            elif before is not entry:
                if before.text_key == entry.text_key:
                    self._entries[number] = entry
                    self.columns.replace(number, entry)
                else:
                    self.discard(entry.id)
                    new.append(entry)
        if not new:
            return
        first = self.texts.add([(entry.text_key, entry.words) for entry in new])
        self._numbers.update(zip([entry.id for entry in new], count(first), strict=False))
        self.columns.add(new)
        self._entries += new

    def discard(self, entry_id: str) -> None:
        """Remove the entry with an id, if it is there."""
        number = self._numbers.pop(entry_id, None)
        entry = None if number is None else self._entries[number]
        if number is None or entry is None:
            return
        self.texts.remove(number)
        self.columns.discard(number)
        for vectors in self._vectors.values():
            vectors.discard(number)
        self._entries[number] = None
        if self.texts.is_sparse:
            self._compact()

    def sync(self, payloads: Mapping[str, T], make: Callable[[str, T], Entry]) -> None:
        """Make the entries of these payloads, by id, those of the index; only what has changed is indexed again."""
        for entry_id in self._numbers.keys() - payloads.keys():
            self.discard(entry_id)
        if not self._numbers:
            self.put(map(make, payloads, payloads.values()))
            return
        changed: list[Entry] = []
        for entry_id, payload in payloads.items():
            number = self._numbers.get(entry_id)
            known = None if number is None else self._entries[number]
            if known is None or known.payload != payload:
                changed.append(make(entry_id, payload))
            elif known.payload is not payload:
                changed.append(known._replace(payload=payload))
        self.put(changed)

    def _compact(self) -> None:
        """Number the entries anew, from 0 on."""
        kept = self.numbered()
        for vectors in self._vectors.values():
            vectors.renumber([number for number, _ in kept])
        self.texts, self.columns, self._numbers, self._entries = TextIndex(), EntryColumns(), {}, []
        self.put([entry for _, entry in kept])
