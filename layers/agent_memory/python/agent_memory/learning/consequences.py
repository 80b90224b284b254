"""What the decisions that chose a strategy caused: the outcomes of the decisions that followed from them.

A source selection succeeds as soon as any signal appears, so that its own success says nothing about the strategy that
it follows. What followed from it does: the signals and trades with it among their ancestors, as their `parent_ids` say.
A decision counts for the nearest such ancestor. One that was only judged, and not acted on, says so with
`reasoning.chosen` = false, and was not caused by the choice.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from agent_memory.learning.evidence import STRATEGIES, key_of
from agent_memory.learning.evidence_table import EvidenceTable, build_tables
from agent_memory.learning.outcome_delays import mature
from agent_memory.model.decisions import DecisionType
from agent_memory.model.evidence import Evidence
from agent_memory.model.sources import is_judged

_NOT_CHOSEN = "reasoning.chosen=false"


@dataclass(frozen=True, slots=True, eq=False)
class Consequences:
    """The outcomes that choices of one decision type caused in another type.

    Attributes:
        outcome_type: the type of the decisions that have the outcomes.
        table: a row for each of them, with the facts of its choice; `decision_type` is that of the choices.
    """

    outcome_type: str
    table: EvidenceTable


class ConsequenceCollector:
    """Collects choices, and the decisions that followed from them, while evidence is read in any order.

    It keeps about a hundred bytes for each decision that has ancestors.
    """

    def __init__(self, keys: Sequence[str] = STRATEGIES) -> None:
        """Choices are the decisions with a fact under one of these keys."""
        self._keys = frozenset(keys)
        self._choices: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._types: dict[str, int] = {}
        self._type, self._won = array("i"), array("b")
        self._times, self._known = array("q"), array("q")
        self._ancestors, self._lengths = array("q"), array("i")

    def observed(self, rows: Iterable[Evidence]) -> Iterator[Evidence]:
        """The same rows, each of which is collected as it is read."""
        for row in rows:
            self._add(row)
            yield row

    def of_each_type(self, mature_before_ms: Mapping[str, int]) -> list[Consequences]:
        """What choices caused, one entry for each type of choices that caused anything, ordered by that type.

        Of several types of decisions that followed, those that are judged by what came of them count (see
        `model.sources`), and of these the type with the most outcomes; all others only if there is none of these.

        Args:
            mature_before_ms: for each type, the time before which its decisions are old enough to count.
        """
        rows: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
        for choice_type, outcome_type, row in self._caused():
            rows[choice_type, outcome_type].append(row)
        counts = Counter({pair: len(found) for pair, found in rows.items()})
        found: dict[str, str] = {}
        for choice_type, outcome_type in sorted(rows, key=lambda pair: (not is_judged(pair[1]), -counts[pair], pair)):
            found.setdefault(choice_type, outcome_type)
        return [
            Consequences(outcome_type, mature(table, mature_before_ms.get(outcome_type, 0)))
            for choice_type, outcome_type in sorted(found.items())
            for table in build_tables(rows[choice_type, outcome_type])
        ]

    def _add(self, row: Evidence) -> None:
        facts = tuple(one for one in row.features if key_of(one) in self._keys)
        if facts:
            self._choices[hash(row.decision_id)] = row.decision_type, facts
        if not row.ancestors or row.success is None or row.decision_type == DecisionType.LEARNING:
            return
        if _NOT_CHOSEN in row.features:
            return
        self._type.append(self._types.setdefault(row.decision_type, len(self._types)))
        self._won.append(row.success)
        self._times.append(row.timestamp_ms)
        self._known.append(row.known_ms)
        self._ancestors.extend(map(hash, row.ancestors))
        self._lengths.append(len(row.ancestors))

    def _caused(self) -> Iterator[tuple[str, str, Evidence]]:
        """The type of a choice, that of a decision that followed from it, and its outcome with the choice's facts."""
        names = list(self._types)
        start = 0
        for n, end in enumerate(accumulate(self._lengths)):
            outcome_type = names[self._type[n]]
            seen = {outcome_type}  # a choice is compared with others by what followed from it, not by its own kind
            for ancestor in self._ancestors[start:end]:
                choice_type, facts = self._choices.get(ancestor, ("", ()))
                if facts and choice_type not in seen:
                    seen.add(choice_type)
                    yield (
                        choice_type,
                        outcome_type,
                        Evidence(
                            decision_id=f"{n}",
                            decision_type=choice_type,
                            timestamp_ms=self._times[n],
                            success=bool(self._won[n]),
                            features=facts,
                            known_ms=self._known[n],
                            cluster=f"choice={ancestor}",
                        ),
                    )
            start = end
