"""The event, the result and the stores of the nightly functions, and the list of their agents."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from agent_memory.api.scheduled_starts import run_at_work
from agent_memory.api.settings import BadEnvironment, FunctionSettings
from agent_memory.core import ids, keys
from agent_memory.core.clock import SystemClock, check_day_has_ended, date_of, parse_date, parse_instant
from agent_memory.core.errors import InvalidInput
from agent_memory.core.json_values import canonical_json
from agent_memory.ports.stores import Stores
from agent_memory.storage.executions import Executions


@dataclass(frozen=True, slots=True)
class NightlyEvent:
    """The event of a nightly function: an agent and a UTC day."""

    agent_id: str
    day: date

    @classmethod
    def of(cls, event: dict[str, Any]) -> "NightlyEvent":
        """Parse `{"agent_id": …, "date": "YYYY-MM-DD"}`.

        Raises:
            InvalidInput: names the field.
        """
        return cls(ids.check_agent_id(event.get("agent_id")), parse_date(str(event.get("date"))))

    def result(self, figures: dict[str, Any]) -> dict[str, Any]:
        """The result that a nightly function returns to the state machine."""
        return {"agent_id": self.agent_id, "date": self.day.isoformat(), **figures}


def decisions_per_part() -> int:
    """The most decisions that one machine is to read of a day."""
    return _settings().decisions_per_part


def _settings() -> FunctionSettings:
    return FunctionSettings.from_environment()


@lru_cache(maxsize=1)
def stores() -> Stores:
    """The deployment's stores; opened with the first event and cached.

    Raises:
        BadEnvironment: names the variable.
    """
    settings = _settings()
    if settings.archive_bucket is None:
        raise BadEnvironment("AGENT_MEMORY_ARCHIVE_BUCKET is not set; deploy the function with the stacks")
    return settings.open_stores()


def list_agents(event: dict[str, Any]) -> dict[str, Any]:
    """Write the list of the agents of a nightly job to S3, where the state machine reads it.

    The event has `run`, which identifies this run of the job, and optionally `date`, the UTC day to process (by default
    the day before `scheduled_time`, or yesterday), and `agents` (by default all registered agents). A start of the
    schedule that was delivered twice is worked for once: its second run has no agents.

    Returns:
        `date`, the number of `agents`, and `list`, the S3 key of the list: `[{"agent_id", "date"}]` in JSON. Of a
        second run, `repeats` names the first.

    Raises:
        InvalidInput: names the field.
    """
    run = event.get("run")
    if not isinstance(run, str) or not run:
        raise InvalidInput("run", "expected a name for this run, such as that of the execution")
    day = check_day_has_ended(_day(event), SystemClock())
    requested = event.get("agents")
    if requested is not None and not isinstance(requested, list):
        raise InvalidInput("agents", "expected a list of agent ids")
    agents = None if requested is None else [ids.check_agent_id(agent) for agent in requested]
    first_run = _first_run(event, run)
    if first_run is not None:
        return {"date": day.isoformat(), "agents": 0, "list": None, "repeats": first_run}
    if agents is None:
        agents = stores().states.agents()
    entries = [{"agent_id": agent, "date": day.isoformat()} for agent in agents]
    key = keys.nightly_agents_key(day, run)
    stores().bucket().blobs.write(key, canonical_json(entries).encode())
    return {"date": day.isoformat(), "agents": len(entries), "list": key}


def _first_run(event: dict[str, Any], run: str) -> str | None:
    """The earlier run for the same start of the schedule; None if there is none, or the run was started by hand."""
    scheduled, executions = event.get("scheduled_time"), _settings().nightly_executions
    if not scheduled or event.get("date") is not None or executions is None:
        return None
    scheduled_ms = parse_instant(scheduled, "scheduled_time")
    return run_at_work(scheduled_ms, run, stores().bucket().blobs, Executions(executions).has_failed)


def _day(event: dict[str, Any]) -> date:
    if event.get("date") is not None:
        return parse_date(str(event["date"]))
    scheduled = event.get("scheduled_time")
    at_ms = parse_instant(scheduled, "scheduled_time") if scheduled else SystemClock().now_ms()
    return date_of(at_ms) - timedelta(days=1)
