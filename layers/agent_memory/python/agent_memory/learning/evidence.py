"""Reduces a decision to evidence: the facts that patterns are combinations of, and what is known of its outcome."""

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent_memory.core.clock import DAY_MS, parse_instant
from agent_memory.core.ids import timestamp_of
from agent_memory.learning.numbers import numbers_of, rewards_of
from agent_memory.model.decisions import Decision
from agent_memory.model.evidence import Evidence
from agent_memory.model.experiments import assignments_of
from agent_memory.model.outcomes import headline_outcomes, headline_results

MAX_VALUE_CHARACTERS = 64
"""A longer text is prose or an identifier, not a fact that recurs."""
MAX_PATH_CHARACTERS = 120
MAX_LIST_MEMBERS = 32
MAX_DEPTH = 6

SELECTED_SOURCES = "reasoning.selected"
OPTIONS = "options"
"""The key under which an outcome says how each option would have turned out, chosen or not."""
# Features from SELECTED_SOURCES get this short key, because many patterns mention them.
SOURCE = "source"
STRATEGIES = ("reasoning.strategy", "metadata.strategy")
"""The keys under which an agent names the strategy that it follows."""


QUESTION = "question"
"""The key under which a decision names what it answers, in `reasoning`, `context` or `metadata`."""
CLUSTERS = ("position_id", "trade_id", "cycle_id")
"""The keys under which a decision names what shares one outcome, the closest first."""
_NOT_FACTS = frozenset({QUESTION, *CLUSTERS})
MAX_QUESTION_CHARACTERS = 200
CHAIN_MS = 7 * DAY_MS
"""An ancestor that is older taught the decision something; it does not share its outcome."""


def evidence_of(decision: Decision) -> Evidence | None:
    """Return the decision as evidence, or None while its outcome is unknown."""
    return None if decision.outcome is None else evidence_row(decision)


def evidence_row(decision: Decision) -> Evidence:
    """Return the decision as a row of evidence, also while its outcome is unknown.

    An outcome of which it is said that it was known before its decision counts from the decision on.
    """
    content = decision.reasoning, decision.context, decision.metadata
    row = Evidence(
        decision_id=decision.decision_id,
        decision_type=decision.decision_type,
        timestamp_ms=decision.timestamp_ms,
        success=None,
        features=features_of(decision.context, decision.reasoning, decision.metadata),
        numbers=numbers_of(context=_of_world(decision.context), reasoning=_of_world(decision.reasoning)),
        question=question_of(*content),
        cluster=cluster_of(*content) or _chain_of(decision),
        policy=decision.policy or "",
        policy_version=decision.policy_version or "",
        propensity=decision.propensity,
        joint_propensity=decision.joint_propensity,
        ancestors=_recent_ancestors(decision),
        memory_ids=decision.memory_ids,
        experiments=_experiments_of(decision),
    )
    results = headline_results(decision)
    if not results or decision.outcome is None:
        return row
    row = row.with_rewards(
        [
            (max(at_ms, decision.timestamp_ms), rewards_of(one.details, one.metrics))
            for at_ms, one in headline_outcomes(decision)
        ]
    )
    known = [(max(at_ms, decision.timestamp_ms), success) for at_ms, success in results]
    # Of several results in the same millisecond, only the last one was ever seen.
    return row.with_results(sorted(dict(known).items()))


def evidence_from_records(records: Iterable[Mapping[str, Any]]) -> Iterator[Evidence]:
    """Yield the evidence of decisions as `query_decisions` returns them; those without an outcome are skipped.

    Raises:
        InvalidInput: a `timestamp` or `outcome_recorded_at` is not ISO 8601 text with an offset.
    """
    for record in records:
        if record.get("success") is not None:
            timestamp_ms = parse_instant(record["timestamp"])
            recorded_at = record.get("outcome_recorded_at")
            content = record.get("reasoning"), record.get("context"), record.get("metadata")
            yield Evidence(
                decision_id=record["decision_id"],
                decision_type=record["decision_type"],
                timestamp_ms=timestamp_ms,
                success=bool(record["success"]),
                features=features_of(record.get("context"), record.get("reasoning"), record.get("metadata")),
                numbers=numbers_of(
                    context=_of_world(record.get("context")), reasoning=_of_world(record.get("reasoning"))
                ),
                known_ms=max(timestamp_ms, parse_instant(recorded_at)) if recorded_at else timestamp_ms,
                question=question_of(*content),
                cluster=cluster_of(*content) or next(iter(record.get("parent_ids") or ()), ""),
                policy=record.get("policy") or "",
                policy_version=record.get("policy_version") or "",
                propensity=record.get("propensity"),
                joint_propensity=record.get("joint_propensity"),
                memory_ids=tuple(record.get("memory_ids") or ()),
                rewards=rewards_of(record.get("outcome"), record.get("metrics")),
            )


def question_of(*sections: object) -> str:
    """Return the question that the first of these sections names, as text; empty if none does.

    A mapping reads `forecast=range|horizon=4h`, sorted by name, so that the order in which it was written does not
    matter; a long text is cut and ends with its digest.
    """
    for section in sections:
        if isinstance(section, Mapping) and (text := _question_text(section.get(QUESTION))):
            if len(text) <= MAX_QUESTION_CHARACTERS:
                return sys.intern(text)
            digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            return sys.intern(f"{text[: MAX_QUESTION_CHARACTERS - 17]}~{digest[:16]}")
    return ""


def cluster_of(*sections: object) -> str:
    """Return what shares one outcome with the decision, as `position_id=17`; empty if the sections name nothing."""
    for name in CLUSTERS:
        for section in sections:
            if isinstance(section, Mapping) and (text := _scalar_text(section.get(name))):
                return f"{name}={text}"
    return ""


def _chain_of(decision: Decision) -> str:
    """The decision that a chain began with, so that siblings and their common ancestor have the same cluster.

    Among the ancestors of the last days this is the one most steps away, and of these the oldest. Decisions logged by
    earlier versions name their parents only.
    """
    steps = _steps_to_ancestors(decision)
    return min(_recent_ancestors(decision), key=lambda one: (-steps[one], timestamp_of(one), one), default="")


def _recent_ancestors(decision: Decision) -> tuple[str, ...]:
    """The ancestors of the last days, the nearest first."""
    steps = _steps_to_ancestors(decision)
    recent = [one for one in steps if decision.timestamp_ms - timestamp_of(one) <= CHAIN_MS]
    return tuple(sorted(recent, key=lambda one: (steps[one], one)))


def _steps_to_ancestors(decision: Decision) -> Mapping[str, int]:
    return decision.ancestors or dict.fromkeys(decision.parent_ids, 1)


def _experiments_of(decision: Decision) -> tuple[str, ...]:
    """The assignments that a decision names, with the difference to the choice without memory where it is known."""
    judged = decision.outcome.details.get(OPTIONS) if decision.outcome else None
    chosen = decision.reasoning.get("selected")
    return tuple(one.to_text() for one in assignments_of(decision.metadata, chosen, judged))


def _question_text(value: object) -> str:
    if isinstance(value, Mapping):
        members = {str(name): _question_text(member) for name, member in value.items()}
        return "|".join(f"{name}={members[name]}" for name in sorted(members) if members[name])
    if isinstance(value, list | tuple):
        return "|".join(filter(None, map(_question_text, value)))
    return _scalar_text(value)


def _scalar_text(value: object) -> str:
    """A text, number or boolean as text: 4 and 4.0 are the same. Empty for everything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else ""


def features_of(context: object, reasoning: object, metadata: object = None) -> tuple[str, ...]:
    """Flatten a decision's content into facts such as `context.market.volatility=high`, sorted.

    Strings, booleans and nulls are facts; what numbers say is found by `learning.numbers`. A list of strings yields one
    fact per member; members of `reasoning.selected` read `source=derivatives`. The outcome is never used, and of the
    metadata only `strategy`. Strings longer than 64 characters and lists longer than 32 are ignored, and so is a
    section that is not a mapping. The question, and what shares one outcome, are no facts of their own.
    """
    facts: set[str] = set()
    for section, content in (("context", context), ("reasoning", reasoning)):
        facts.update(_facts(section, _of_world(content), MAX_DEPTH))
    if isinstance(metadata, Mapping) and metadata.get("strategy") is not None:
        facts.update(_facts("metadata", {"strategy": metadata["strategy"]}, 1))
    return tuple(sorted(facts))


def _of_world(section: object) -> dict[str, Any]:
    """A section without the question and what shares one outcome; empty if it is not a mapping."""
    if not isinstance(section, Mapping):
        return {}
    return {name: value for name, value in section.items() if name not in _NOT_FACTS}


def key_of(feature: str) -> str:
    """Return the part of a feature before its value: `context.market.volatility`."""
    return feature.partition("=")[0]


def value_of(feature: str) -> str:
    """Return the value of a feature as text: `high`."""
    return feature.partition("=")[2]


def _facts(path: str, content: Mapping[str, Any], depth: int) -> Iterator[str]:
    for name, value in content.items():
        # The first "=" ends the key, so a key must not contain one itself.
        key = f"{path}.{name}".replace("=", "_")
        if len(key) > MAX_PATH_CHARACTERS:
            continue
        if isinstance(value, Mapping):
            if depth > 1:
                yield from _facts(key, value, depth - 1)
        elif isinstance(value, list | tuple):
            yield from _list_facts(key, value)
        else:
            yield from _fact(key, value)


def _list_facts(key: str, values: list[Any] | tuple[Any, ...]) -> Iterator[str]:
    if len(values) > MAX_LIST_MEMBERS:
        return
    name = SOURCE if key == SELECTED_SOURCES else key
    for value in values:
        if isinstance(value, str):
            yield from _fact(name, value)


def _fact(key: str, value: object) -> Iterator[str]:
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str) and len(value) <= MAX_VALUE_CHARACTERS:
        text = value
    else:
        return
    # Interned, because the same few hundred facts recur in every decision.
    yield sys.intern(f"{key}={text}")
