"""What a decision, a request and a night take: the demo's agent, metered in a local cloud.

The emulator charges write units as DynamoDB does; read units follow from the sizes of what is read.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from agent_memory.client.client import AgentMemoryClient
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.run import run_nightly_job
from agent_memory.ports.stores import Stores
from agent_memory.pricing import mean_decision_units
from benchmarks.meter import Meter
from demo.bars import sample_bars
from demo.cycles import Cycles
from demo.recording import Record
from local import LocalCloud
from local.stores import stores_of

_DAYS = 45
_CYCLES_A_DAY = 24
_BATCH = 100
_EXPIRY = "BatchExecuteStatement"  # how a night marks decisions to expire; it writes nothing else by it
_API_CYCLES = 20
_READS_A_CYCLE = 23  # 100,000 reads over 4,320 cycles
_EVENT_OVERHEAD_BYTES = 26  # what CloudWatch Logs adds to each event
_PLATFORM_LINES = ("START ", "END ", "REPORT ", "INIT_START ", '{"time"')
HOW = (
    f"`make bench-cost`: {_DAYS} days of the demo's hourly cycles of six decisions, in a local cloud. Write units are "
    "charged by the emulator, read units follow from sizes; a night is the one after the last day."
)


@dataclass(frozen=True, slots=True)
class _Life:
    """The replayed agent: its stores, and the meter on their client."""

    cycles: Cycles
    stores: Stores
    meter: Meter
    log: DecisionLog

    def write(self, cycles: range) -> None:
        """Log the decisions of some cycles and their outcomes, in batches."""
        decisions, outcomes = self.cycles.decisions(cycles), self.cycles.outcomes(cycles)
        for at in range(0, len(decisions), _BATCH):
            self.log.log(decisions[at : at + _BATCH])
        for at in range(0, len(outcomes), _BATCH):
            self.log.record_outcomes(outcomes[at : at + _BATCH])


def measure(cloud: LocalCloud) -> dict[str, float]:
    """Everything that `measured-units.json` holds under `measured`, by the names of `MeasuredUnits`."""
    client = cloud.boto_session().client("dynamodb")
    stores = stores_of(cloud, dynamodb_client=client)
    today = datetime.combine(datetime.now(UTC).date(), time(), UTC)
    started_at, count = today - timedelta(days=_DAYS), _DAYS * _CYCLES_A_DAY + 1
    cycles = asyncio.run(Cycles.simulated(sample_bars(), started_at, count))
    life = _Life(cycles, stores, Meter(client), DecisionLog(cycles.agent_id, stores))
    last_day = range((_DAYS - 1) * _CYCLES_A_DAY, _DAYS * _CYCLES_A_DAY)
    life.write(range(last_day.start))
    run_nightly_job(cycles.agent_id, (today - timedelta(days=2)).date(), stores)
    decided = _decisions(life, last_day)
    return decided | _night(life, today - timedelta(days=1), len(cycles.decisions(last_day))) | asyncio.run(_api(cloud))


def _decisions(life: _Life, cycles: range) -> dict[str, float]:
    """Log decisions one by one, then their outcomes, and read each."""
    decisions, outcomes = life.cycles.decisions(cycles), life.cycles.outcomes(cycles)
    with life.meter.measuring() as logged:
        for decision in decisions:
            life.log.log_one(decision)
    with life.meter.measuring() as resolved:
        for outcome in outcomes:
            life.log.record_outcome(outcome)
    with life.meter.measuring() as read:
        found = [life.log.get(decision["decision_id"]) for decision in decisions]
    count = len(decisions)
    return {
        "log_units": round(logged.write_units / count, 3),
        "outcome_units": round(resolved.write_units / count, 3),
        "read_units": round(read.read_units / count, 3),
        "stored_bytes": round(mean_decision_units(one for one in found if one).stored_bytes, 1),
    }


def _night(life: _Life, day: datetime, decisions_a_day: int) -> dict[str, float]:
    """The night after the last day, which archives the one day that became due."""
    agent_id, archive = life.cycles.agent_id, life.stores.archive
    with life.meter.measuring() as night:
        figures = run_nightly_job(agent_id, day.date(), life.stores)
    expiry, archived = night.write_units_of[_EXPIRY], figures["archival"]["decisions"]
    if archive is None or not archived:
        raise RuntimeError(f"the night archived nothing: {figures['archival']}")
    manifest = archive.manifest(agent_id, archive.days(agent_id)[-1])
    if manifest is None:
        raise RuntimeError("the archived day has no manifest")
    return {
        "expiry_units": round(expiry / archived, 3),
        "archived_bytes": round(manifest.file_bytes / manifest.rows, 1),
        "night_write_units": night.write_units - expiry,
        "night_read_units": round(night.read_units / decisions_a_day, 3),
    }


async def _api(cloud: LocalCloud) -> dict[str, float]:
    """Cycles through the deployed API: two batches and some reads each. Counts what its function logs."""
    session = cloud.boto_session()
    started_at = datetime.now(UTC) - timedelta(hours=_API_CYCLES + 1)
    cycles = await Cycles.simulated(sample_bars(), started_at, _API_CYCLES + 1)
    requests, replies = 0, list[Record]()
    async with AgentMemoryClient(cloud.api_url, "cost-api", session=session) as client:
        for cycle in range(_API_CYCLES):
            decisions: list[Record] = cycles.decisions(range(cycle, cycle + 1))
            logged = await client.log_decisions(decisions)
            await client.log_outcomes(cycles.outcomes(range(cycle, cycle + 1)))
            ids = [one["decision_id"] for one in logged]
            replies += [await client.get_decision(ids[read % len(ids)]) for read in range(_READS_A_CYCLE)]
            requests += 2 + _READS_A_CYCLE
    lines = _lines(session.client("logs"), f"/aws/lambda/{cloud.outputs['TablePrefix']}-api")
    return {
        "reply_bytes": round(sum(len(json.dumps(reply)) for reply in replies) / len(replies), 1),
        "log_line_bytes": round(sum(len(line.encode()) + _EVENT_OVERHEAD_BYTES for line in lines) / requests, 1),
    }


def _lines(logs: Any, group: str) -> list[str]:
    """The function's own lines, without those that Lambda writes."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    lines = [line for page in pages for event in page["events"] for line in event["message"].splitlines()]
    return [line for line in lines if line and not line.startswith(_PLATFORM_LINES)]
