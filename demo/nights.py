"""Runs nights: the deployed state machine, one execution for each replayed day."""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from agent_memory.core.keys import report_key
from agent_memory.ports.blobs import BlobStore
from demo.errors import DemoError

_POLL_SECONDS = 0.05
# Nights take about as long as the one before: asking earlier than after this share of it costs time for nothing.
_FIRST_LOOK = 0.6
_MAX_SECONDS = 300
_MAX_CAUSE = 300


@dataclass(frozen=True, slots=True)
class Night:
    """What one night did. `active_patterns` is what the agent knows by then, `seconds` its wall-clock time."""

    day: date
    active_patterns: int
    seconds: float


class Nights:
    """Starts the state machine for a day and waits for its end.

    An execution's name cannot be used again for 90 days, and a night that was interrupted must be run again: names
    are made of agent, day and a random end. Running a night twice is safe, since every step of it is idempotent.

    Args:
        client: a boto3 client for Step Functions.
        state_machine_arn: the deployed state machine.
        agent_id: whose nights.
        reports: the bucket, where every night leaves a report.
    """

    def __init__(self, client: Any, state_machine_arn: str, agent_id: str, reports: BlobStore) -> None:  # Any: boto3
        self._client = client
        self._arn = state_machine_arn
        self._agent_id = agent_id
        self._reports = reports
        self._last_seconds = 0.0

    async def run(self, day: date) -> Night:
        """Run the night of a UTC day.

        Raises:
            DemoError: it failed or did not end; tells the step and the cause.
        """
        started = time.monotonic()
        execution = await asyncio.to_thread(
            self._client.start_execution,
            stateMachineArn=self._arn,
            name=f"{self._agent_id[:40]}-{day.isoformat()}-{secrets.token_hex(4)}",
            input=json.dumps({"date": day.isoformat(), "agents": [self._agent_id]}),
        )
        try:
            return await self._end_of(execution["executionArn"], day, started)
        except asyncio.CancelledError:
            # Left alone it would go on, and keep the local cloud from stopping.
            self._client.stop_execution(executionArn=execution["executionArn"], cause="the demo was interrupted")
            raise

    async def _end_of(self, execution_arn: str, day: date, started: float) -> Night:
        await asyncio.sleep(_FIRST_LOOK * self._last_seconds)
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            told = await asyncio.to_thread(self._client.describe_execution, executionArn=execution_arn)
            seconds = time.monotonic() - started
            if told["status"] == "SUCCEEDED":
                self._last_seconds = seconds
                return Night(day, await asyncio.to_thread(self._active_patterns, day), seconds)
            if told["status"] != "RUNNING":
                raise DemoError(f"the night of {day} ended as {told['status']}: {_cause(told)}")
            if seconds > _MAX_SECONDS:
                raise DemoError(f"the night of {day} did not end within {_MAX_SECONDS} seconds")

    def _active_patterns(self, day: date) -> int:
        report = self._reports.read(report_key(self._agent_id, day))
        if report is None:
            raise DemoError(f"the night of {day} succeeded, but wrote no report")
        active: int = json.loads(report)["active_patterns"]
        return active


def _cause(told: Mapping[str, Any]) -> str:
    """Why an execution failed, in one line; the failed agents' own causes where it names them."""
    cause = str(told.get("cause") or told.get("error") or "no cause was given")
    try:
        failed = json.loads(cause)["agents"]
        cause = "; ".join(f"{one['agent_id']}, {one['error']['step']}: {one['error']['cause']}" for one in failed)
    except (ValueError, TypeError, KeyError):
        pass  # a cause of the service's own, plain text
    line = " ".join(cause.split())
    return line if len(line) <= _MAX_CAUSE else f"{line[: _MAX_CAUSE - 1]}…"
