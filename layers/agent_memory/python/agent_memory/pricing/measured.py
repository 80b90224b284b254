"""Capacity units and bytes of real decisions, by DynamoDB's own rules.

A write costs one unit a started kilobyte of the item as it is afterwards, and so does each index entry that it adds
or changes; a consistent read costs one unit a started four kilobytes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.model.decisions import Decision
from agent_memory.model.memories import Memory
from agent_memory.storage.dynamodb.items import (
    Item,
    decision_item,
    headline_attributes,
    history_item,
    memory_item,
    text,
)
from agent_memory.storage.dynamodb.sizes import item_size
from agent_memory.storage.schema import BY_CONTEXT, DECISIONS

_WRITE_UNIT_BYTES = 1024
_READ_UNIT_BYTES = 4096
_ENTRY_OVERHEAD_BYTES = 100  # what DynamoDB adds to each entry of a table or index for storage
_TRANSACTION_FACTOR = 2
_EXPIRY: Item = {"ttl": {"N": "1795176000"}}


@dataclass(frozen=True, slots=True)
class DecisionUnits:
    """One decision's life: logged, its outcome logged, marked to expire; or the mean of several.

    Attributes:
        log_units: write units of logging it.
        outcome_units: write units of logging its outcome.
        expiry_units: write units of marking it to expire, once it is archived.
        read_units: read units of reading it by its id.
        stored_bytes: bytes in table and indexes, overhead included.
    """

    log_units: float
    outcome_units: float
    expiry_units: float
    read_units: float
    stored_bytes: float

    @property
    def write_units(self) -> float:
        """Write units of the whole life."""
        return self.log_units + self.outcome_units + self.expiry_units


def decision_units(decision: Decision) -> DecisionUnits:
    """What one decision costs in table and indexes."""
    logged = decision_item(replace(decision, outcome=None))
    indexed = BY_CONTEXT.partition.name in logged
    whole = dict(logged)
    if decision.outcome is not None:
        whole |= headline_attributes(decision.key, decision.outcome)
    entries = [whole, *(_index_entry(whole, index.partition.name) for index in DECISIONS.indexes)]
    return DecisionUnits(
        log_units=_write_units(logged) + (1 if indexed else 0),
        outcome_units=_write_units(whole) + 1 if decision.outcome else 0,
        expiry_units=_write_units(whole | _EXPIRY),
        read_units=math.ceil(item_size(whole) / _READ_UNIT_BYTES),
        stored_bytes=sum(item_size(entry) + _ENTRY_OVERHEAD_BYTES for entry in entries if entry),
    )


def mean_decision_units(decisions: Iterable[Decision]) -> DecisionUnits:
    """The mean over some decisions.

    Raises:
        InvalidInput: there is none.
    """
    measured = [decision_units(decision) for decision in decisions]
    if not measured:
        raise InvalidInput("decisions", "there is none to measure")
    return DecisionUnits(
        **{name: sum(getattr(one, name) for one in measured) / len(measured) for name in DecisionUnits.__slots__}
    )


def memory_write_units(memory: Memory) -> int:
    """Write units of one version of a memory: item, index entry and history in one transaction."""
    return _TRANSACTION_FACTOR * (_write_units(memory_item(memory)) + 1 + _write_units(history_item(memory)))


def _write_units(item: Any) -> int:
    return math.ceil(item_size(item) / _WRITE_UNIT_BYTES)


def _index_entry(item: Item, partition: str) -> Item:
    """What an index that projects keys only holds of an item; nothing where the item is not in it."""
    if partition not in item:
        return {}
    return {name: item.get(name, text("")) for name in ("pk", "sk", "timestamp", partition)}
