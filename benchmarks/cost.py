"""`python -m benchmarks.cost`: measures what the cost estimate is based on, and writes it into the package.

The demo's agent runs in a local cloud. The emulator charges write units as DynamoDB does, except for those of batches:
the units of batches and of the expiry, the read units and the sizes are computed from the items.
"""

import asyncio
import json
import logging
import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agent_memory import pricing
from agent_memory.client.client import AgentMemoryClient
from agent_memory.core.keys import evidence_key, report_key
from agent_memory.decisions.log import DecisionLog
from agent_memory.model.decisions import DecisionDict
from agent_memory.nightly.run import run_nightly_job
from agent_memory.ports.stores import Stores
from agent_memory.pricing import mean_decision_units
from agent_memory.storage.schema import DECISIONS
from benchmarks.archive_size import log_cycles
from benchmarks.capacity_meter import CapacityMeter
from local import LocalCloud
from local.layout import Layout
from local.stores import stores_of
from trading_agents.demo.bars import sample_bars
from trading_agents.demo.cycles import Cycles
from trading_agents.demo.recording import Record

_FILE = Path(pricing.__file__).with_name("measured-units.json")
_DAYS = 45
_CYCLES_PER_DAY = 24
_EXPIRY = "BatchExecuteStatement"  # the nightly job uses it only to set the expiry of decisions
_API_CYCLES = 20
_READS_PER_CYCLE = 23  # 100,000 reads in 4,320 cycles
_EVENT_OVERHEAD_BYTES = 26  # what CloudWatch Logs adds to each event
_PLATFORM_LINES = ("START ", "END ", "REPORT ", "INIT_START ", '{"time"')
_HOW = (
    f"`make bench-cost`: {_DAYS} days of the demo's hourly cycles, each logged in one batch, in a local cloud. Write "
    "units of outcomes are charged by the emulator; those of batches and of the expiry, read units and sizes are "
    "computed from the items, by rules with which its charges for single decisions agree. The nightly job is the one "
    "after the last day."
)


@dataclass(frozen=True, slots=True)
class _Replay:
    """The demo's agent: its cycles, its stores, and the meter on their client."""

    cycles: Cycles
    stores: Stores
    meter: CapacityMeter
    log: DecisionLog


def measure(cloud: LocalCloud) -> dict[str, float]:
    """Measure everything that `measured-units.json` has under `measured`, by the names of `MeasuredUnits`."""
    client = cloud.boto_session().client("dynamodb")
    stores = stores_of(cloud, dynamodb_client=client)
    today = datetime.combine(datetime.now(UTC).date(), time(), UTC)
    started_at, count = today - timedelta(days=_DAYS), _DAYS * _CYCLES_PER_DAY + 1
    cycles = asyncio.run(Cycles.simulated(sample_bars(), started_at, count))
    replay = _Replay(cycles, stores, CapacityMeter(client), DecisionLog(cycles.agent_id, stores))
    last_day = range((_DAYS - 1) * _CYCLES_PER_DAY, _DAYS * _CYCLES_PER_DAY)
    log_cycles(replay.log, cycles, range(last_day.start - 1))
    _check_computed_units(replay, range(last_day.start - 1, last_day.start))
    run_nightly_job(cycles.agent_id, (today - timedelta(days=2)).date(), stores)
    decisions = _measure_decisions(replay, last_day)
    job = _measure_nightly_job(replay, today - timedelta(days=1), len(cycles.decisions(last_day)))
    return decisions | job | asyncio.run(_measure_api(cloud))


def _check_computed_units(replay: _Replay, cycles: range) -> None:
    """Log decisions one by one, and compare what is charged with what is computed."""
    decisions = replay.cycles.decisions(cycles)
    with replay.meter.measuring() as logging_decisions:
        results = [replay.log.log_one(decision) for decision in decisions]
    for outcome in replay.cycles.outcomes(cycles):
        replay.log.record_outcome(outcome)
    found = [replay.log.get(one.decision_id) for one in results if one.decision_id]
    charged, computed = logging_decisions.write_units, mean_decision_units([one] for one in found if one)
    if not math.isclose(charged, computed.log_units * len(found)):
        raise RuntimeError(f"{charged} write units were charged, {computed.log_units * len(found)} computed")


def _measure_decisions(replay: _Replay, cycles: range) -> dict[str, float]:
    """Log the decisions of each cycle in a batch, then their outcomes, and read each decision."""
    batches = [replay.cycles.decisions(range(cycle, cycle + 1)) for cycle in cycles]
    for batch in batches:
        replay.log.log(batch)
    with replay.meter.measuring() as logging_outcomes:
        for outcome in replay.cycles.outcomes(cycles):
            replay.log.record_outcome(outcome)
    with replay.meter.measuring() as reading:
        found = [[replay.log.get(decision["decision_id"]) for decision in batch] for batch in batches]
    count = sum(map(len, batches))
    computed = mean_decision_units([one for one in batch if one] for batch in found)
    return {
        "log_units": round(computed.log_units, 3),
        "outcome_units": round(logging_outcomes.write_units / count, 3),
        "expiry_units": round(computed.expiry_units, 3),
        "read_units": round(reading.read_units / count, 3),
        "stored_bytes": round(computed.stored_bytes, 1),
        "link_bytes": round(computed.link_bytes, 1),
    }


def _measure_nightly_job(replay: _Replay, day: datetime, decisions_per_day: int) -> dict[str, float]:
    """The job after the last day, which archives the one day that has become due."""
    agent_id, archive = replay.cycles.agent_id, replay.stores.bucket().archive
    with replay.meter.measuring() as job:
        figures = run_nightly_job(agent_id, day.date(), replay.stores)
    if not figures["archival"]["decisions"]:
        raise RuntimeError(f"the nightly job archived nothing: {figures['archival']}")
    manifest = archive.manifest(agent_id, archive.days(agent_id)[-1])
    if manifest is None:
        raise RuntimeError("the archived day has no manifest")
    bucket = replay.stores.bucket()
    evidence = bucket.blobs.read(evidence_key(agent_id))
    report = bucket.blobs.read(report_key(agent_id, day.date()))
    if evidence is None or report is None:
        raise RuntimeError("the nightly job left no evidence, or no report")
    of_decisions = sum(units for table, units in job.read_units_of.items() if table.endswith(DECISIONS.name))
    return {
        "archived_bytes": round(manifest.file_bytes / manifest.rows, 1),
        "evidence_bytes": round(len(evidence) / (decisions_per_day * _DAYS), 1),
        "report_bytes": float(len(report)),
        "nightly_write_units": job.write_units - job.write_units_of[_EXPIRY],
        "nightly_read_units": round(of_decisions / decisions_per_day, 3),
        "nightly_other_read_units": job.read_units - of_decisions,
    }


async def _measure_api(cloud: LocalCloud) -> dict[str, float]:
    """Send cycles to the deployed API, two batches and some reads each, and count what its function logs."""
    session = cloud.boto_session()
    started_at = datetime.now(UTC) - timedelta(hours=_API_CYCLES + 1)
    cycles = await Cycles.simulated(sample_bars(), started_at, _API_CYCLES + 1)
    logs, group = session.client("logs"), f"/aws/lambda/{cloud.outputs['TablePrefix']}-api"
    responses, ids = list[DecisionDict](), list[str]()
    async with AgentMemoryClient(cloud.api_url, "cost-api", session=session) as client:
        for cycle in range(_API_CYCLES):
            decisions: list[Record] = cycles.decisions(range(cycle, cycle + 1))
            ids += [one["decision_id"] for one in await client.log_decisions(decisions)]
            await client.log_outcomes(cycles.outcomes(range(cycle, cycle + 1)))
        by_batches = _log_bytes(logs, group)
        for read in range(_API_CYCLES * _READS_PER_CYCLE):
            responses.append(await client.get_decision(ids[read % len(ids)]))
    by_reads = _log_bytes(logs, group) - by_batches
    return {
        "response_bytes": round(sum(len(json.dumps(one)) for one in responses) / len(responses), 1),
        "batch_log_bytes": round(by_batches / (2 * _API_CYCLES), 1),
        "read_log_bytes": round(by_reads / len(responses), 1),
    }


def _log_bytes(logs: Any, group: str) -> int:
    """Bytes of the lines that the function itself has logged, without those of Lambda."""
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    lines = [line for page in pages for event in page["events"] for line in event["message"].splitlines()]
    own = [line for line in lines if line and not line.startswith(_PLATFORM_LINES)]
    return sum(len(line.encode()) + _EVENT_OVERHEAD_BYTES for line in own)


def main() -> None:
    """Measure in a new local cloud; the assumed part of the file is kept."""
    logging.basicConfig(level=logging.ERROR)
    before = json.loads(_FILE.read_text(encoding="utf-8"))
    with TemporaryDirectory() as state, LocalCloud(Layout(state=Path(state))) as cloud:
        measured = measure(cloud)
    today = datetime.now(UTC).date().isoformat()
    content = {"measured": {"date": today, "how": _HOW, **measured}, "assumed": before["assumed"]}
    _FILE.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, value in measured.items():
        sys.stdout.write(f"{name:<20} {value:>10,.3f}\n")


if __name__ == "__main__":
    main()
