"""Runs nightly jobs: the deployed state machine, one execution for each replayed day."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.core.keys import report_key
from agent_memory.ports.blobs import BlobStore
from trading_agents.demo.errors import DemoError
from trading_agents.demo.replay import NightlyRun

_POLL_SECONDS = 0.05
# A job takes about as long as the one before: polling before this fraction of that time only costs time.
_FIRST_POLL = 0.6
_MAX_SECONDS = 300
_MAX_CAUSE = 300


class NightlyJobs:
    """Starts the state machine for a day and waits for its end.

    The name of an execution cannot be used again for 90 days, but an interrupted job must be run again. Names therefore
    consist of agent, day and a random suffix. Running a job twice is safe, since every step of it is idempotent.

    Args:
        client: a boto3 client for Step Functions.
        state_machine_arn: of the deployed state machine.
        agent_id: of the agent.
        reports: the bucket to which every job writes a report.
    """

    def __init__(self, client: Any, state_machine_arn: str, agent_id: str, reports: BlobStore) -> None:  # Any: boto3
        self._client = client
        self._arn = state_machine_arn
        self._agent_id = agent_id
        self._reports = reports
        self._last_seconds = 0.0

    async def run(self, day: date) -> NightlyRun:
        """Run the nightly job of a UTC day.

        Raises:
            DemoError: the job failed or did not end; names the step and the cause.
        """
        started = time.monotonic()
        execution = await asyncio.to_thread(
            self._client.start_execution,
            stateMachineArn=self._arn,
            name=f"{self._agent_id[:40]}-{day.isoformat()}-{secrets.token_hex(4)}",
            input=json.dumps({"date": day.isoformat(), "agents": [self._agent_id]}),
        )
        try:
            return await self._wait(execution["executionArn"], day, started)
        except asyncio.CancelledError:
            # If it continued, it would keep the local cloud from stopping. It may have ended in the meantime.
            with contextlib.suppress(ClientError, BotoCoreError):
                self._client.stop_execution(executionArn=execution["executionArn"], cause="the demo was interrupted")
            raise

    async def _wait(self, execution_arn: str, day: date, started: float) -> NightlyRun:
        await asyncio.sleep(_FIRST_POLL * self._last_seconds)
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            execution = await asyncio.to_thread(self._client.describe_execution, executionArn=execution_arn)
            seconds = time.monotonic() - started
            if execution["status"] == "SUCCEEDED":
                self._last_seconds = seconds
                return NightlyRun(day, await asyncio.to_thread(self._active_patterns, day), seconds)
            if execution["status"] != "RUNNING":
                raise DemoError(f"the nightly job of {day} ended as {execution['status']}: {_cause(execution)}")
            if seconds > _MAX_SECONDS:
                raise DemoError(f"the nightly job of {day} did not end within {_MAX_SECONDS} seconds")

    def _active_patterns(self, day: date) -> int:
        report = self._reports.read(report_key(self._agent_id, day))
        if report is None:
            raise DemoError(f"the nightly job of {day} succeeded, but wrote no report")
        active: int = json.loads(report)["active_patterns"]
        return active


def _cause(execution: Mapping[str, Any]) -> str:
    """Return the cause of a failed execution in one line, with the causes of the failed agents if it has them."""
    cause = str(execution.get("cause") or execution.get("error") or "no cause is known")
    try:
        failed = json.loads(cause)["agents"]
        cause = "; ".join(f"{one['agent_id']}, {one['error']['step']}: {one['error']['cause']}" for one in failed)
    except (ValueError, TypeError, KeyError):
        pass  # a plain-text cause of the service
    line = " ".join(cause.split())
    return line if len(line) <= _MAX_CAUSE else f"{line[: _MAX_CAUSE - 1]}…"
