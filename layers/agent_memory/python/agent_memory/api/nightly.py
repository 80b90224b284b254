"""The nightly functions: each reads its event, calls one domain function and emits its metrics."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from agent_memory.api.settings import BadEnvironment, FunctionSettings
from agent_memory.core import ids, keys
from agent_memory.core.clock import SystemClock, date_of, parse_date, parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import canonical_json
from agent_memory.ports.stores import Stores


@dataclass(frozen=True, slots=True)
class NightlyEvent:
    """One agent's night: the UTC day that has just ended."""

    agent_id: str
    day: date

    @classmethod
    def of(cls, event: dict[str, Any]) -> "NightlyEvent":
        """Read `{"agent_id": …, "date": "YYYY-MM-DD"}`.

        Raises:
            InvalidInput: names the field.
        """
        return cls(ids.check_agent_id(event.get("agent_id")), parse_date(str(event.get("date"))))

    def answer(self, figures: dict[str, Any]) -> dict[str, Any]:
        """What a nightly function returns to the state machine."""
        return {"agent_id": self.agent_id, "date": self.day.isoformat(), **figures}


@lru_cache(maxsize=1)
def stores() -> Stores:
    """The deployment's stores, opened at the first event and kept.

    Raises:
        BadEnvironment: names the variable.
    """
    settings = FunctionSettings.from_environment()
    if settings.archive_bucket is None:
        raise BadEnvironment("AGENT_MEMORY_ARCHIVE_BUCKET is not set; deploy the function with the stacks")
    return settings.open_stores()


def list_agents(event: dict[str, Any]) -> dict[str, Any]:
    """Write the list of the agents that a night works on, where the state machine reads it one by one.

    `run` tells runs of the same night apart. `date` names the UTC day whose night it is; else it is the day before
    `scheduled_time`, else yesterday. `agents` names the agents; else they are all that are registered.

    Returns:
        `date`, how many `agents`, and the key of their `list`: `[{"agent_id", "date"}]` in JSON.

    Raises:
        InvalidInput: names the field.
    """
    run = event.get("run")
    if not isinstance(run, str) or not run:
        raise InvalidInput("run", "expected a name for this run of the night, as the execution's")
    day = _day(event)
    named = event.get("agents")
    if named is not None and not isinstance(named, list):
        raise InvalidInput("agents", "expected a list of agent ids")
    agents = [ids.check_agent_id(agent) for agent in named] if named is not None else stores().states.agents()
    entries = [{"agent_id": agent, "date": day.isoformat()} for agent in agents]
    key = keys.nightly_agents_key(day, run)
    stores().bucket().blobs.write(key, canonical_json(entries).encode())
    return {"date": day.isoformat(), "agents": len(entries), "list": key}


def _day(event: dict[str, Any]) -> date:
    if event.get("date") is not None:
        return parse_date(str(event["date"]))
    scheduled = event.get("scheduled_time")
    moment = parse_instant(scheduled, "scheduled_time") if scheduled else SystemClock().now_ms()
    return date_of(moment) - timedelta(days=1)
