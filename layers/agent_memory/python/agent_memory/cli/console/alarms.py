"""The alarms of a deployment on AWS, as CloudWatch has them now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from agent_memory.cli.doctor.deployment import Deployment
from agent_memory.core.clock import to_iso

_KINDS = {"MetricAlarms": "MetricAlarm", "CompositeAlarms": "CompositeAlarm"}
_ORDER = ("ALARM", "INSUFFICIENT_DATA", "OK")


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alarms whose names begin with the deployment's prefix."""

    deployment: Deployment

    def now(self) -> list[dict[str, Any]]:
        """Each alarm with its state, those that are active first; `what` it means, and its `runbook`.

        Raises:
            CannotLook: CloudWatch did not answer, or (`NotAllowed`) the credentials lack the action.
        """
        found = [
            _row(one)
            for member, kind in _KINDS.items()
            for one in self.deployment.pages(
                "cloudwatch",
                "describe_alarms",
                member,
                AlarmNamePrefix=f"{self.deployment.prefix}-",
                AlarmTypes=[kind],
            )
        ]
        return sorted(found, key=lambda one: (_ORDER.index(one["state"]), one["alarm"]))


def _row(alarm: Mapping[str, Any]) -> dict[str, Any]:
    what, _, runbook = alarm.get("AlarmDescription", "").partition(" Runbook: ")
    since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
    return {
        "alarm": alarm["AlarmName"],
        "state": alarm["StateValue"],
        "what": what,
        "since": to_iso(int(since.astimezone(UTC).timestamp() * 1000)) if since else None,
        "runbook": runbook.strip() or None,
        "notifies": bool(alarm.get("ActionsEnabled", True)),
    }
