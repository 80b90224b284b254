"""Capacity units and bytes of decisions, by the rules of DynamoDB.

A write costs one unit per started kilobyte of the item after the write, and so does each index entry that it adds or
changes; a consistent read costs one unit per started four kilobytes.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import MAX_SHARDS
from agent_memory.decisions.lineage import links_to
from agent_memory.model.decisions import Decision
from agent_memory.storage.dynamodb.items import Item, decision_item, headline_attributes, item_size, text
from agent_memory.storage.dynamodb.links import link_items
from agent_memory.storage.schema import DECISIONS, Index

_WRITE_UNIT_BYTES = 1024
_READ_UNIT_BYTES = 4096
_ENTRY_OVERHEAD_BYTES = 100  # what DynamoDB adds to each entry of a table or index for storage
_TTL: Item = {"ttl": {"N": "1795176000"}}
PARTITION_WRITE_UNITS = 1_000
"""The write units that a partition accepts in a second."""
_PLANNED_SHARE = 0.7  # the mean of a minute hides its busiest seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionUnits:
    """The units of one decision, or the mean of several.

    Attributes:
        log_units: write units of logging it, including the links from the decisions that led to it.
        outcome_units: write units of logging its outcome.
        expiry_units: write units of setting its expiry, once it is archived.
        read_units: read units of reading it by its id.
        stored_bytes: bytes in table and indexes, including overhead.
        link_bytes: bytes of its links, which are kept longer than the decision itself.
    """

    log_units: float
    outcome_units: float
    expiry_units: float
    read_units: float
    stored_bytes: float
    link_bytes: float

    @property
    def write_units(self) -> float:
        """Write units from logging to expiry."""
        return self.log_units + self.outcome_units + self.expiry_units


def decision_units(decision: Decision) -> DecisionUnits:
    """Compute the units of one decision, logged by itself, in table and indexes."""
    return _units(decision, list(link_items(links_to(decision), decision.timestamp_ms)))


def mean_decision_units(requests: Iterable[Sequence[Decision]]) -> DecisionUnits:
    """Compute the mean of decisions in the batches in which they are logged, which share the items of their links.

    Raises:
        InvalidInput: there are no decisions.
    """
    measured = [one for decisions in requests for one in _units_of_request(decisions)]
    if not measured:
        raise InvalidInput("decisions", "there are no decisions to measure")
    return DecisionUnits(
        **{name: sum(getattr(one, name) for one in measured) / len(measured) for name in DecisionUnits.__slots__}
    )


def write_shards_for(units_per_second: float) -> int:
    """The write shards that an agent with so many write units a second in one table or index needs, 1 to 32."""
    needed = math.ceil(units_per_second / (PARTITION_WRITE_UNITS * _PLANNED_SHARE))
    return min(max(needed, 1), MAX_SHARDS)


def _units_of_request(decisions: Sequence[Decision]) -> list[DecisionUnits]:
    """The units of decisions logged together; the items of all links are counted with the first of them."""
    links = list(link_items((link for one in decisions for link in links_to(one)), decisions[0].timestamp_ms))
    return [_units(one, links if position == 0 else []) for position, one in enumerate(decisions)]


def _units(decision: Decision, links: Sequence[Item]) -> DecisionUnits:
    logged = decision_item(replace(decision, outcome=None))
    item = dict(logged)
    if decision.outcome is not None:
        item |= headline_attributes(decision.outcome)
    return DecisionUnits(
        log_units=_units_of_write({}, logged) + sum(map(_write_units, links)),
        outcome_units=_units_of_write(logged, item) if decision.outcome else 0,
        expiry_units=_units_of_write(item, item | _TTL),
        read_units=math.ceil(item_size(item) / _READ_UNIT_BYTES),
        stored_bytes=_stored_bytes([item, *(index_entry(item, index) for index in DECISIONS.indexes)]),
        link_bytes=_stored_bytes(links),
    )


def _stored_bytes(entries: Iterable[Item]) -> int:
    return sum(item_size(entry) + _ENTRY_OVERHEAD_BYTES for entry in entries if entry)


def _write_units(item: Item) -> int:
    return math.ceil(item_size(item) / _WRITE_UNIT_BYTES)


def _units_of_write(before: Item, after: Item) -> int:
    """The units of a write in the table, and in each index whose entry it adds or changes."""
    entries = [(index_entry(before, index), index_entry(after, index)) for index in DECISIONS.indexes]
    return _write_units(after) + sum(_write_units(new) for old, new in entries if new != old)


def index_entry(item: Item, index: Index) -> Item:
    """The entry of an item in an index; empty if the item is not in it."""
    if index.partition.name not in item:
        return {}
    if index.projects_all:
        return item
    return {name: item.get(name, text("")) for name in ("pk", "sk", index.sort.name, index.partition.name)}
