"""Runs nightly jobs: the deployed state machine, one execution for each replayed day."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.core.keys import report_key
from agent_memory.nightly.days import LearnedDays
from agent_memory.ports.stores import Stores
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
        stores: of the deployment: what the agent has learned, and the report that every job writes.
    """

    def __init__(self, client: Any, state_machine_arn: str, agent_id: str, stores: Stores) -> None:  # Any: boto3
        self._client = client
        self._arn = state_machine_arn
        self._agent_id = agent_id
        self._stores = stores
        self._learning_seconds = self._other_seconds = 0.0

    async def learn(self, day: date) -> "asyncio.Task[NightlyRun]":
        """Run the nightly job of a UTC day until the agent has learned from it; the task does what remains.

        If it is cancelled, or this task, the execution is stopped: it would keep the local cloud from stopping.

        Raises:
            DemoError: the job failed or did not end; names the step and the cause. So does the task.
        """
        execution = await asyncio.to_thread(
            self._client.start_execution,
            stateMachineArn=self._arn,
            name=f"{self._agent_id[:40]}-{day.isoformat()}-{secrets.token_hex(4)}",
            input=json.dumps({"date": day.isoformat(), "agents": [self._agent_id]}),
        )
        job = _Execution(self._client, execution["executionArn"], day)

        async def has_learned() -> bool:
            return await asyncio.to_thread(self._has_learned, day) or await job.has_ended()

        async with job.stopped_if_cancelled():
            await _wait(has_learned, self._learning_seconds)
        self._learning_seconds = job.seconds
        return asyncio.create_task(self._end(job))

    async def _end(self, job: "_Execution") -> NightlyRun:
        learned = job.seconds
        async with job.stopped_if_cancelled():
            await _wait(job.has_ended, self._other_seconds)
            self._other_seconds = job.seconds - learned
            return NightlyRun(job.day, await asyncio.to_thread(self._active_patterns, job.day), job.seconds)

    def _has_learned(self, day: date) -> bool:
        through = LearnedDays(self._agent_id, self._stores).progress().learned_through
        return through is not None and through >= day

    def _active_patterns(self, day: date) -> int:
        report = self._stores.bucket().blobs.read(report_key(self._agent_id, day))
        if report is None:
            raise DemoError(f"the nightly job of {day} succeeded, but wrote no report")
        active: int = json.loads(report)["active_patterns"]
        return active


class _Execution:
    """The execution of the job of a day, which has just been started."""

    def __init__(self, client: Any, arn: str, day: date) -> None:
        self.day = day
        self._client = client
        self._arn = arn
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._started

    async def has_ended(self) -> bool:
        """Whether it has succeeded; `DemoError` if it failed or takes too long."""
        execution = await asyncio.to_thread(self._client.describe_execution, executionArn=self._arn)
        if execution["status"] == "SUCCEEDED":
            return True
        if execution["status"] != "RUNNING":
            raise DemoError(f"the nightly job of {self.day} ended as {execution['status']}: {_cause(execution)}")
        if self.seconds > _MAX_SECONDS:
            raise DemoError(f"the nightly job of {self.day} did not end within {_MAX_SECONDS} seconds")
        return False

    @contextlib.asynccontextmanager
    async def stopped_if_cancelled(self) -> AsyncIterator[None]:
        """Stop it if the block is cancelled. It may have ended in the meantime."""
        try:
            yield
        except asyncio.CancelledError:
            with contextlib.suppress(ClientError, BotoCoreError):
                self._client.stop_execution(executionArn=self._arn, cause="the demo was interrupted")
            raise


async def _wait(is_over: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait until something is over that took so many seconds the last time."""
    await asyncio.sleep(_FIRST_POLL * seconds)
    while True:
        if await is_over():
            return
        await asyncio.sleep(_POLL_SECONDS)


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
