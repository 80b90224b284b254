"""What the client does for cycles and rate limits: the methods of `MemoryManager` over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from agent_memory.client.bodies import json_text
from agent_memory.client.requests import Requests, iso, segment
from agent_memory.core.clock import Instant
from agent_memory.core.json_values import Document
from agent_memory.core.retention import RATE_LIMIT_SECONDS, RECENT_CYCLES
from agent_memory.memory.cycles import Cycle, Performance


class CycleCalls:
    """Cycles of one agent; `_http` sends requests below the agent's path."""

    _http: Requests

    async def write_cycle(
        self,
        *,
        context: Document | None = None,
        queries: Sequence[Any] = (),
        signals: Sequence[Any] = (),
        performance: Performance | None = None,
        decision_ids: Sequence[str] = (),
        cycle_id: str | None = None,
    ) -> bool:
        """Keep what a cycle brought; see `MemoryManager.write_cycle`. `Unavailable` where the API has no cache."""
        cycle = Cycle(
            context=context,
            queries=queries,
            signals=signals,
            performance=performance,
            decision_ids=decision_ids,
            cycle_id=cycle_id or str(uuid4()),
        )
        await self._http.send("POST", "memory/cycles", json_text(cycle.as_dict(), "body"))
        return True

    async def read_cycle(
        self,
        *,
        cycles: int = RECENT_CYCLES,
        signals_since: Instant | None = None,
        performance: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """What the last cycles left; see `MemoryManager.read_cycle`."""
        wanted = None if performance is None else json_text(performance, "performance")
        query = {
            "cycles": str(cycles),
            "signals_since": iso(signals_since, "signals_since"),
            "performance": wanted,
        }
        return await self._http.send("GET", "memory/cycles", query=query)

    async def remove_signal(self, signal: Any) -> bool:
        """Take a signal out of the active ones; whether it was among them."""
        answer = await self._http.send("POST", "memory/signals/removal", json_text({"signal": signal}, "signal"))
        return bool(answer["removed"])

    async def check_rate_limit(
        self, source_id: str, limit: int, *, window_seconds: int = RATE_LIMIT_SECONDS
    ) -> dict[str, Any]:
        """Count one query of a source; see `MemoryManager.check_rate_limit`.

        A request that is repeated because its answer was lost counts twice: never one too many is allowed.
        """
        body = json_text({"limit": limit, "window_seconds": window_seconds}, "limit")
        return await self._http.send("POST", f"memory/rate-limits/{segment(source_id)}", body)
