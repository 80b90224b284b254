"""Sends decisions and outcomes to the API in batches, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from agent_memory import AgentMemoryError
from trading_agents.demo.errors import CannotContinueError, DemoError

Record = dict[str, Any]
Send = Callable[[Sequence[Record]], Awaitable[list[Record]]]

BATCH = 100
_CONCURRENT_BATCHES = 4


class Memory(Protocol):
    """What the demo needs of a client; `AgentMemoryClient` is one."""

    async def log_decisions(self, decisions: Sequence[Record], /) -> list[Record]:
        """Log up to a hundred decisions."""
        ...

    async def log_outcomes(self, outcomes: Sequence[Record], /) -> list[Record]:
        """Log up to a hundred outcomes."""
        ...

    async def write_cycle(
        self,
        *,
        context: Record | None = None,
        queries: Sequence[Any] = (),  # JSON
        signals: Sequence[Any] = (),
        decision_ids: Sequence[str] = (),
        cycle_id: str | None = None,
    ) -> bool:
        """Write what a cycle leaves in short-term memory."""
        ...


async def send_all(send: Send, records: Sequence[Record]) -> int:
    """Send records in batches of equal size; returns how many were new, not stored already.

    Raises:
        DemoError: the API rejected a record.
    """
    if not records:
        return 0
    count = -(-len(records) // BATCH)
    size = -(-len(records) // count)
    slots = asyncio.Semaphore(_CONCURRENT_BATCHES)

    async def send_batch(batch: Sequence[Record]) -> int:
        async with slots:
            return _count_new(await send(batch))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send_batch(records[at : at + size])) for at in range(0, len(records), size)]
    except* (DemoError, AgentMemoryError) as errors:
        failed = errors.exceptions[0]
    else:
        return sum(task.result() for task in tasks)
    raise failed


def _count_new(results: Sequence[Record]) -> int:
    for result in results:
        if result["status"] == "conflict":
            raise CannotContinueError(f"{result['decision_id']} is stored with other content")
        if result["status"] not in {"created", "recorded", "unchanged"}:
            raise DemoError(f"the API answered {result['status']!r} for {result['decision_id']}: {result.get('error')}")
    return sum(result["status"] != "unchanged" for result in results)
