"""Alarms of the deployment, a part of the overview: it asks CloudWatch."""

from typing import Any

from agent_memory.cli.console.view import Page, Table, Visit, columns
from agent_memory.cli.doctor.deployment import CannotLook, NotAllowed
from agent_memory.client.executor import in_thread
from agent_memory.core.errors import InvalidInput

_COLUMNS = columns(
    """
    alarm     text      Alarm
    state     status    State
    since     time      Since
    what      sentence  What it means
    runbook   text      Runbook
    """
)
_ACTIVE = "ALARM"


async def alarms_page(visit: Visit) -> Page:
    """The alarms that are active, and how many there are; what could not be asked is said."""
    if visit.source.alarms is None:
        raise InvalidInput("alarms", "only a deployment on AWS has alarms")
    found: list[dict[str, Any]] = []
    problem = None
    try:
        found = await in_thread(visit.source.alarms.now)
    except NotAllowed as error:
        problem = f"your credentials do not permit {error}"
    except CannotLook as error:
        problem = str(error)
    active = [one for one in found if one["state"] == _ACTIVE]
    values = {"problem": problem, "active": len(active), "total": len(found)}
    tables = [
        Table("active", _COLUMNS, active, empty="No alarm is active."),
        Table("alarms", _COLUMNS, found, empty="This deployment has no alarms."),
    ]
    return Page("alarms.html.j2", "Alarms", values, tables)
