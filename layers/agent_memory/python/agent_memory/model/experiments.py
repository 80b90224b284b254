"""Memory holdout: an experiment withholds memory from a random share of cycles, so that what memory earns can be seen.

Assignment is a hash of the experiment and the unit, so that every process assigns alike and nothing is stored. Each
decision logs the assignment that it was made under, and the nightly job compares the outcomes (`learning.uplift`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from agent_memory.core.checks import check_boolean, check_list, check_number, check_text
from agent_memory.core.errors import InvalidInput, shown
from agent_memory.core.ids import check_memory_type, check_pattern_id
from agent_memory.core.json_values import canonical_json, check_mapping, check_object
from agent_memory.model.listings import Listing

EXPERIMENTS = "experiments"
"""The key of a decision's metadata, and the column of its evidence, with the assignments it was made under."""
MAX_UNIT_CHARACTERS = 255
_MAX_EXPERIMENTS = 20
_DIGEST_BYTES = 8
_DIGESTS = float(1 << 8 * _DIGEST_BYTES)

Entry = TypeVar("Entry", bound=Mapping[str, Any])


@dataclass(frozen=True, slots=True)
class Experiment:
    """Withholds memory from a random share of units; `InvalidInput` names an invalid field.

    Attributes:
        name: identifies the experiment; what it shows is stored under it. Another name assigns anew.
        share: of the units, from which memory is withheld: over 0 and under 1.
        unit: what is assigned, as `cycle` or `day`. Decisions of one unit are all made with memory, or all without.
        memory_type: withhold memories of this type only.
        memory_id: withhold the memory with this `pattern_id` only.
    """

    name: str
    share: float
    unit: str = "cycle"
    memory_type: str | None = None
    memory_id: str | None = None

    def __post_init__(self) -> None:
        check_pattern_id(self.name, "name")
        check_pattern_id(self.unit, "unit")
        share = check_number("share", self.share, "a share over 0 and under 1")
        if not 0 < share < 1:
            raise InvalidInput("share", f"{shown(share)} is not a share over 0 and under 1")
        object.__setattr__(self, "share", share)
        if self.memory_type is not None:
            object.__setattr__(self, "memory_type", str(check_memory_type(self.memory_type)))
        if self.memory_id is not None:
            check_pattern_id(self.memory_id, "memory_id")

    def withholds_from(self, unit_id: str) -> bool:
        """Whether a unit is one from which memory is withheld: a number that its digest gives is below the share."""
        text = canonical_json([self.name, self.unit, unit_id])
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
        return int.from_bytes(digest) / _DIGESTS < self.share

    def assign(self, unit_id: str) -> "Assignment":
        """The assignment of a unit, as of the cycle with this id (1 to 255 characters)."""
        unit_id = check_text("unit_id", unit_id, MAX_UNIT_CHARACTERS)
        return Assignment(self, unit_id, self.withholds_from(unit_id))

    def concerns(self, memory: Mapping[str, Any]) -> bool:
        """Whether the experiment withholds this memory, which is as in the APIs."""
        of_type = self.memory_type in {None, memory.get("memory_type")}
        return of_type and self.memory_id in {None, memory.get("pattern_id")}


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whether memory is withheld from one unit of an experiment; log it with every decision of the unit.

    Attributes:
        experiment: the experiment.
        unit_id: the unit, as the id of a cycle.
        is_withheld: whether the unit decides without the memories that the experiment withholds.
    """

    experiment: Experiment
    unit_id: str
    is_withheld: bool

    def visible(self, memories: Sequence[Entry]) -> Listing[Entry]:
        """The memories, or entries of `recall`, that the unit may use: all of them, or those not withheld from it.

        What a listing says of itself (`missing`, `cursor`) is kept.
        """
        kept = (one for one in memories if not (self.is_withheld and self._concerns(one)))
        if isinstance(memories, Listing):
            return Listing(kept, memories.missing, memories.cursor)
        return Listing(kept)

    @staticmethod
    def check(value: object) -> "Assignment | None":
        """Return an assignment, or None for none; else raise `InvalidInput`."""
        if value is None or isinstance(value, Assignment):
            return value
        raise InvalidInput("assignment", f"expected what Experiment.assign returns, got {type(value).__name__}")

    @property
    def withheld(self) -> dict[str, str | None] | None:
        """What is withheld from the unit, None for nothing: `memory_type` and `memory_id`, each None for any."""
        if not self.is_withheld:
            return None
        return {"memory_type": self.experiment.memory_type, "memory_id": self.experiment.memory_id}

    def metadata(
        self, metadata: Mapping[str, Any] | None = None, *, without_memory: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """The metadata to log a decision with: the given one, and this assignment under `experiments`.

        Args:
            metadata: other metadata of the decision.
            without_memory: what would have been chosen without memory. Where the outcome judges every option, in
                `options` (`{"whales": true, "news": false}`), the decision is then compared with it directly.
        """
        others = dict(check_object("metadata", metadata or {}))
        entry = self.as_dict()
        if without_memory is not None:
            entry["without_memory"] = check_list("without_memory", without_memory)
        return {**others, EXPERIMENTS: [*check_list(EXPERIMENTS, others.get(EXPERIMENTS, [])), entry]}

    def as_dict(self) -> dict[str, Any]:
        """The assignment as it is logged."""
        one = self.experiment
        return {
            "name": one.name,
            "share": one.share,
            "unit": one.unit,
            "memory_type": one.memory_type,
            "memory_id": one.memory_id,
            "unit_id": self.unit_id,
            "withheld": self.is_withheld,
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """The assignment that was logged. Raises `InvalidInput` if it is none."""
        fields = check_mapping(EXPERIMENTS, data)
        experiment = Experiment(
            fields.get("name", ""),
            fields.get("share", 0),
            fields.get("unit", ""),
            fields.get("memory_type"),
            fields.get("memory_id"),
        )
        unit_id = check_text("unit_id", fields.get("unit_id"), MAX_UNIT_CHARACTERS)
        return cls(experiment, unit_id, check_boolean("withheld", fields.get("withheld")))

    def _concerns(self, entry: Mapping[str, Any]) -> bool:
        if isinstance(entry.get("decision"), Mapping):  # of `recall`
            return False
        memory = entry.get("memory")
        return self.experiment.concerns(memory if isinstance(memory, Mapping) else entry)


@dataclass(frozen=True, slots=True)
class LoggedAssignment:
    """An assignment as evidence keeps it.

    Attributes:
        assignment: as the decision has logged it.
        difference: what the choice achieved more than the one without memory, where every option was judged.
    """

    assignment: Assignment
    difference: float | None = None

    @property
    def is_as_assigned(self) -> bool:
        """Whether the decision says of itself what its unit was assigned to."""
        one = self.assignment
        return one.is_withheld == one.experiment.withholds_from(one.unit_id)

    def to_text(self) -> str:
        """The assignment as text, for a column of texts."""
        return canonical_json([self.assignment.as_dict(), self.difference])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The assignment of such a text."""
        fields, difference = json.loads(text)
        return cls(Assignment.from_dict(fields), difference)


def assignments_of(
    metadata: Mapping[str, Any], chosen: object = None, judged: object = None
) -> tuple[LoggedAssignment, ...]:
    """The assignments that a decision was made under; entries that are none are ignored.

    Args:
        metadata: of the decision.
        chosen: what it chose: an option, or a list of several.
        judged: how each option turned out, as a mapping of options to booleans or numbers.
    """
    entries = metadata.get(EXPERIMENTS)
    if not isinstance(entries, list | tuple):
        return ()
    found: dict[str, LoggedAssignment] = {}
    for entry in entries[:_MAX_EXPERIMENTS]:
        try:
            assignment = Assignment.from_dict(entry)
        except InvalidInput:
            continue
        otherwise = entry.get("without_memory")
        found.setdefault(
            assignment.experiment.name, LoggedAssignment(assignment, _difference(chosen, otherwise, judged))
        )
    return tuple(found.values())


def _difference(chosen: object, otherwise: object, judged: object) -> float | None:
    """The mean result of what was chosen, less that of what would have been; None unless all of it was judged."""
    if not isinstance(judged, Mapping):
        return None
    with_memory, without = _mean_result(chosen, judged), _mean_result(otherwise, judged)
    return None if with_memory is None or without is None else with_memory - without


def _mean_result(options: object, judged: Mapping[str, Any]) -> float | None:
    names = [options] if isinstance(options, str) else options
    if not isinstance(names, list | tuple) or not names or not all(isinstance(one, str) for one in names):
        return None
    results = [judged.get(one) for one in names]
    if not all(isinstance(one, int | float) for one in results):
        return None
    return float(sum(float(one) for one in results if one is not None)) / len(results)
