"""Decisions as items of the table `agent_decisions` and back."""

from typing import Any

from agent_memory.core import keys
from agent_memory.core.clock import to_iso
from agent_memory.core.ids import timestamp_of
from agent_memory.model.decisions import Decision, Outcome, SupersededOutcome, context_type_of
from agent_memory.ports.decisions import DecisionKey, Link
from agent_memory.storage.dynamodb.attribute_values import AttributeValue
from agent_memory.storage.dynamodb.items import Item, document, documents, milliseconds, seconds, text
from agent_memory.storage.schema import BY_CONTEXT, BY_OUTCOME


def decision_key_item(key: DecisionKey) -> Item:
    """Primary key of a decision."""
    return {
        "pk": text(keys.decision_pk(key.agent_id, key.decision_type, key.shard)),
        "sk": text(keys.decision_sk(key.timestamp_ms, key.decision_id)),
    }


def decision_item(decision: Decision) -> Item:
    """A decision as it is first written, without its outcomes.

    Raises:
        InvalidInput: a value that cannot be stored.
    """
    key = DecisionKey.of(decision)
    item = decision_key_item(key) | {
        "decision_id": text(decision.decision_id),
        "agent_id": text(decision.agent_id),
        "decision_type": text(decision.decision_type),
        "timestamp": seconds(decision.timestamp_ms),
        "iso_timestamp": text(to_iso(decision.timestamp_ms)),
    }
    item |= documents(context=decision.context, reasoning=decision.reasoning, metadata=decision.metadata)
    context_type = context_type_of(decision.context)
    if context_type is not None:
        item[BY_CONTEXT.partition.name] = text(keys.context_pk(decision.agent_id, context_type, key.shard))
    if decision.parent_ids:
        item["parent_ids"] = _texts(decision.parent_ids)
    if decision.memory_ids:
        item["memory_ids"] = _texts(decision.memory_ids)
    if decision.ancestors:
        item["ancestors"] = {"M": {name: {"N": str(steps)} for name, steps in decision.ancestors.items()}}
    return item


def first_outcome(key: DecisionKey, outcome: Outcome) -> Item:
    """The attributes that the first outcome adds to its decision: the headline."""
    item = documents(outcome=outcome.details, metrics=outcome.metrics)
    if "whole_floats" in item:
        item["outcome_whole_floats"] = item.pop("whole_floats")
    if outcome.horizon is not None:
        item["horizon"] = text(outcome.horizon)
    return item | {
        "success": {"BOOL": outcome.success},
        "outcome_recorded": seconds(outcome.recorded_ms),
        BY_OUTCOME.partition.name: text(keys.outcome_pk(key.agent_id, key.shard, success=outcome.success)),
    }


OUTCOME_ATTRIBUTES = frozenset(
    {
        *("outcome", "metrics", "outcome_whole_floats", "horizon", "success", "outcome_recorded"),
        *(BY_OUTCOME.partition.name, "other_outcomes", "superseded_outcomes", "revision"),
    }
)
"""The attributes that outcomes take."""


def all_outcomes(decision: Decision) -> Item:
    """The attributes that all of a decision's outcomes take."""
    item = first_outcome(DecisionKey.of(decision), decision.outcome) if decision.outcome else {}
    if decision.other_outcomes:
        item["other_outcomes"] = {"L": [_outcome_value(one) for one in decision.other_outcomes]}
    if decision.superseded:
        item["superseded_outcomes"] = {"L": [_superseded_value(one) for one in decision.superseded]}
    if decision.revision:
        item["revision"] = {"N": str(decision.revision)}
    return item


def decision_from(item: Item) -> Decision:
    """The decision that an item holds."""
    return Decision(
        agent_id=item["agent_id"]["S"],
        decision_id=item["decision_id"]["S"],
        decision_type=item["decision_type"]["S"],
        timestamp_ms=milliseconds(item["timestamp"]),
        context=document(item, "context"),
        reasoning=document(item, "reasoning"),
        metadata=document(item, "metadata"),
        outcome=_headline(item),
        parent_ids=_texts_from(item, "parent_ids"),
        memory_ids=_texts_from(item, "memory_ids"),
        other_outcomes=tuple(_outcome_from(one["M"]) for one in _list(item, "other_outcomes")),
        superseded=tuple(_superseded_from(one["M"]) for one in _list(item, "superseded_outcomes")),
        revision=int(item["revision"]["N"]) if "revision" in item else 0,
        ancestors={name: int(steps["N"]) for name, steps in item.get("ancestors", {"M": {}})["M"].items()},
    )


def link_item(link: Link, ttl_ms: int) -> Item:
    """A link to what came of a decision."""
    descendant = link.descendant
    return {
        "pk": text(keys.link_pk(descendant.agent_id, link.ancestor_id)),
        "sk": text(keys.decision_sk(descendant.timestamp_ms, descendant.decision_id)),
        "decision_type": text(descendant.decision_type),
        "steps": {"N": str(link.steps)},
        "ttl": {"N": str(ttl_ms // 1000)},
    }


def link_from(agent_id: str, ancestor_id: str, item: Item) -> Link:
    """The link that an item holds."""
    decision_id = item["sk"]["S"].partition("#")[2]
    descendant = DecisionKey(agent_id, item["decision_type"]["S"], timestamp_of(decision_id), decision_id)
    return Link(ancestor_id, int(item["steps"]["N"]), descendant)


def _headline(item: Item) -> Outcome | None:
    if "success" not in item:
        return None
    return Outcome(
        success=item["success"]["BOOL"],
        details=document(item, "outcome", "outcome_whole_floats"),
        metrics=document(item, "metrics", "outcome_whole_floats"),
        recorded_ms=milliseconds(item["outcome_recorded"]),
        horizon=item["horizon"]["S"] if "horizon" in item else None,
    )


def _outcome_value(outcome: Outcome) -> AttributeValue:
    value = documents(outcome=outcome.details, metrics=outcome.metrics)
    value |= {"success": {"BOOL": outcome.success}, "recorded": seconds(outcome.recorded_ms)}
    if outcome.horizon is not None:
        value["horizon"] = text(outcome.horizon)
    return {"M": value}


def _outcome_from(value: Item) -> Outcome:
    return Outcome(
        success=value["success"]["BOOL"],
        details=document(value, "outcome"),
        metrics=document(value, "metrics"),
        recorded_ms=milliseconds(value["recorded"]),
        horizon=value["horizon"]["S"] if "horizon" in value else None,
    )


def _superseded_value(one: SupersededOutcome) -> AttributeValue:
    return {"M": _outcome_value(one.outcome)["M"] | {"until": seconds(one.replaced_ms)}}


def _superseded_from(value: Item) -> SupersededOutcome:
    return SupersededOutcome(_outcome_from(value), milliseconds(value["until"]))


def _texts(values: tuple[str, ...]) -> AttributeValue:
    return {"L": [text(value) for value in values]}


def _texts_from(item: Item, name: str) -> tuple[str, ...]:
    return tuple(entry["S"] for entry in _list(item, name))


def _list(item: Item, name: str) -> list[Any]:
    return list(item[name]["L"]) if name in item else []
