"""What a month of an agent that decides every ten minutes would cost, from what this run stored."""

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from agent_memory.costs import (
    agent_every_ten_minutes,
    load_prices,
    mean_decision_units,
    memory_write_units,
    monthly_cost,
)
from agent_memory.decision_log import DecisionLog
from agent_memory.decision_queries import DecisionFilter
from agent_memory.models import Decision, MemoryType
from agent_memory.night.evidence import LOOK_BACK_DAYS
from agent_memory.service import metric_names
from agent_memory.stores.connections import Stores
from agent_memory.stores.decision_items import decision_item
from agent_memory.stores.dynamodb_items import item_bytes

_SAMPLE = 600
_READ_UNIT_BYTES = 4096
# A night reads days of several ages to learn from, and the day that it archives.
_DAYS_READ_A_NIGHT = len(LOOK_BACK_DAYS) + 1
# A start, the list, whether it is empty, the map, the verdict and the end; for each agent a start, four functions and
# a result.
_TRANSITIONS_A_NIGHT = 12
# Not measured here, because this machine is not Lambda: a request 60 ms at 512 MB, a night four
# functions of 3 s at 1 GB, a kilobyte of log a request.
_ASSUMED_API_GB_SECONDS = 0.03
_ASSUMED_NIGHT_GB_SECONDS = 12.0
_ASSUMED_LOG_BYTES_A_REQUEST = 1_000
_REQUESTS_A_MONTH = 2 * 144 * 30 + 100_000


def cost_of_a_month(stores: Stores, agent_id: str, assembly: Path) -> dict[str, Any]:
    """The cost section of the report; sizes and units are measured on this run's own decisions.

    Raises:
        Unavailable: a store did not answer.
    """
    newest = list(islice(DecisionLog(agent_id, stores).stream(DecisionFilter()), _SAMPLE))
    units = mean_decision_units(newest)
    patterns = list(stores.memories.by_confidence(agent_id, MemoryType.PATTERN))
    workload = agent_every_ten_minutes(
        write_units_per_decision=units.write_units,
        read_units_per_read=units.read_units,
        item_bytes=units.stored_bytes,
        archive_bytes_per_decision=_archive_bytes(stores, agent_id),
        nightly_write_units=sum(memory_write_units(memory) for memory in patterns) + 1,
        nightly_read_units=_read_units_of_a_night(newest),
        nightly_gb_seconds=_ASSUMED_NIGHT_GB_SECONDS,
        nightly_transitions=_TRANSITIONS_A_NIGHT,
        api_gb_seconds=_ASSUMED_API_GB_SECONDS,
        log_bytes=_REQUESTS_A_MONTH * _ASSUMED_LOG_BYTES_A_REQUEST,
        alarms=_resources(assembly, "AWS::CloudWatch::Alarm"),
        dashboards=_resources(assembly, "AWS::CloudWatch::Dashboard"),
        custom_metrics=len(metric_names.ALL),
        assumed=frozenset({"nightly_gb_seconds", "api_gb_seconds", "log_bytes"}),
    )
    return monthly_cost(workload, load_prices()).as_dict()


def _archive_bytes(stores: Stores, agent_id: str) -> float:
    """Bytes of an archived decision, over the newest archived day; 0 before the first."""
    days = stores.archive.days(agent_id) if stores.archive else []
    manifest = stores.archive.manifest(agent_id, days[-1]) if stores.archive and days else None
    return manifest.file_bytes / manifest.rows if manifest else 0.0


def _read_units_of_a_night(newest: Sequence[Decision]) -> float:
    """Read units of a night at 864 decisions a day: pages are charged by their bytes, not by item."""
    mean_bytes = sum(item_bytes(decision_item(decision)) for decision in newest) / len(newest)
    return _DAYS_READ_A_NIGHT * 864 * mean_bytes / _READ_UNIT_BYTES


def _resources(assembly: Path, kind: str) -> int:
    """How many resources of a type the synthesized stacks have."""
    templates = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(assembly.glob("*.template.json"))]
    return sum(one["Type"] == kind for template in templates for one in template.get("Resources", {}).values())
