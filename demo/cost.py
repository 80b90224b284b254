"""The cost of a month of an agent that decides every ten minutes, from what this run stored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from agent_memory import MemoryType
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decisions import Decision
from agent_memory.nightly.evidence import LOOK_BACK_DAYS
from agent_memory.ports.stores import Stores
from agent_memory.pricing import (
    agent_every_ten_minutes,
    load_prices,
    load_units,
    mean_decision_units,
    memory_write_units,
    monthly_cost,
    read_deployment,
)
from agent_memory.storage.dynamodb.items import decision_item
from agent_memory.storage.dynamodb.sizes import item_size

_SAMPLE = 600
_READ_UNIT_BYTES = 4096
# A nightly job reads days of several ages to learn from, and the day that it archives.
_DAYS_READ_PER_JOB = len(LOOK_BACK_DAYS) + 1


def cost_of_a_month(stores: Stores, agent_id: str, assembly: Path) -> dict[str, Any]:
    """Return the cost section of the report, with sizes and units of decisions and patterns measured in this run.

    Raises:
        Unavailable: a store did not answer.
    """
    newest = list(islice(DecisionLog(agent_id, stores).stream(DecisionFilter()), _SAMPLE))
    per_decision = mean_decision_units(newest)
    patterns = list(stores.memories.by_confidence(agent_id, MemoryType.PATTERN))
    units = replace(
        load_units(),
        measured=datetime.now(UTC).date().isoformat(),
        log_units=per_decision.log_units,
        outcome_units=per_decision.outcome_units,
        expiry_units=per_decision.expiry_units,
        read_units=per_decision.read_units,
        stored_bytes=per_decision.stored_bytes,
        archived_bytes=_archived_bytes(stores, agent_id),
        night_write_units=sum(memory_write_units(memory) for memory in patterns) + 1,
        night_read_units=_job_read_units(newest),
    )
    # The local profile omits the composite alarm, which exists on AWS.
    deployment = replace(read_deployment(assembly), composite_alarms=1)
    return monthly_cost(agent_every_ten_minutes(), units, deployment, load_prices()).as_dict()


def _archived_bytes(stores: Stores, agent_id: str) -> float:
    """Return the bytes per archived decision of the newest archived day; 0 before the first."""
    days = stores.archive.days(agent_id) if stores.archive else []
    manifest = stores.archive.manifest(agent_id, days[-1]) if stores.archive and days else None
    return manifest.file_bytes / manifest.rows if manifest else 0.0


def _job_read_units(newest: Sequence[Decision]) -> float:
    """Return the read units of a nightly job per decision of a day; pages are charged by bytes, not by item."""
    mean_bytes = sum(item_size(decision_item(decision)) for decision in newest) / len(newest)
    return _DAYS_READ_PER_JOB * mean_bytes / _READ_UNIT_BYTES
