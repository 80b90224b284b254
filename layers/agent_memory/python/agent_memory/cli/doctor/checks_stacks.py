"""Checks of the account, the stacks and the settings that they were deployed with."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from agent_memory.cli.doctor.deployment import OPTIONAL, Absent, Deployment
from agent_memory.cli.doctor.findings import CHANGES, DEPLOYMENT, Look, fine, note, wrong

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
_ADVICE = {
    "ROLLBACK_COMPLETE": "its first deployment failed, and it cannot be updated: deploy again, which replaces it",
    "ROLLBACK_FAILED": "its first deployment failed, and so did its removal: delete the stack, then deploy again",
    "UPDATE_ROLLBACK_FAILED": "an update failed, and so did its rollback: run `aws cloudformation "
    "continue-update-rollback`, then deploy again",
    "UPDATE_ROLLBACK_COMPLETE": "the last update failed and was rolled back: the version before it runs; deploy again",
    "DELETE_FAILED": "its removal failed; the events of the stack say at which resource",
    "REVIEW_IN_PROGRESS": "it is an empty shell, left by a change set that was not executed: delete it",
}
_MAX_SKEW_SECONDS = 60
_SHARED_TAGS = ("application", "deployment", "environment", "version")
_MAX_NAMED = 5


def credentials(deployment: Deployment) -> Look:
    """Who is asking, and where."""
    caller = deployment.ask("sts", "get_caller_identity")
    return fine(f"{caller['Arn']} in account {caller['Account']}, region {deployment.region}")


def clock(deployment: Deployment) -> Look:
    """Whether this computer's clock is right: AWS refuses signatures that are five minutes off."""
    headers = deployment.ask("sts", "get_caller_identity")["ResponseMetadata"]["HTTPHeaders"]
    if "date" not in headers:
        return note("the service did not say what time it is")
    seconds = abs((datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds())
    if seconds > _MAX_SKEW_SECONDS:
        return wrong(f"this computer's clock is {seconds:,.0f} seconds off; set it", DEPLOYMENT)
    return fine("this computer's clock agrees with that of AWS")


def stack(deployment: Deployment, short: str) -> Look:
    """Whether a stack exists and its last deployment succeeded."""
    found = deployment.stacks.get(short)
    if found is None and short in OPTIONAL:
        return note("is not deployed, as its setting says")
    if found is None:
        return wrong(
            f"there is no such stack in {deployment.region}; deploy it, or name the deployment's prefix and region",
            DEPLOYMENT,
        )
    if found.status in _GOOD:
        return fine(found.status)
    if found.status.endswith("_IN_PROGRESS"):
        return note(f"{found.status}: a deployment is running; look again when it has ended", DEPLOYMENT)
    advice = _ADVICE.get(found.status, "its last deployment did not succeed; the events of the stack say why")
    reason = f" ({found.reason})" if found.reason else ""
    return wrong(f"{found.status}: {advice}{reason}", CHANGES)


def termination_protection(deployment: Deployment) -> Look:
    """Whether the stack of tables that are to be kept is protected from deletion."""
    found = deployment.stacks.get("storage")
    if found is None:
        raise Absent(f"the stack {deployment.prefix}-storage")
    if found.is_protected:
        return fine("on")
    if not any(one.is_retained for one in deployment.of_type("AWS::DynamoDB::Table")):
        return note("off, as the setting keep_data says")
    return wrong("off; `make protect` switches it on", DEPLOYMENT)


def same_deployment(deployment: Deployment) -> Look:
    """Whether all stacks were deployed as one: with the same prefix, stage and, where they name it, version."""
    for name in _SHARED_TAGS:
        values: dict[str, list[str]] = {}
        for short, one in deployment.stacks.items():
            if name in one.tags:
                values.setdefault(one.tags[name], []).append(short)
        if len(values) > 1:
            found = "; ".join(f"{value}: {', '.join(stacks)}" for value, stacks in sorted(values.items()))
            return wrong(f"the stacks differ in {name} ({found}); deploy them all with the same settings", DEPLOYMENT)
    prefix = deployment.output("storage", "TablePrefix")
    if prefix != deployment.prefix:
        return wrong(
            f"the tables have the prefix {prefix} instead of {deployment.prefix}; deploy all stacks", DEPLOYMENT
        )
    return fine("all stacks are of the same deployment")


def settings(deployment: Deployment, short: str, templates: Path) -> Look:
    """Whether a stack is deployed as the code and its settings say: as the synthesized template of it."""
    file = templates / f"{deployment.prefix}-{short}.template.json"
    if not file.is_file():
        return note(f"there is no template {file}; `make synth` with the deployment's settings writes it", DEPLOYMENT)
    differing = sorted(_differences(json.loads(file.read_text()), deployment.template(short)))
    if not differing:
        return fine("is deployed as its template says")
    names, rest = ", ".join(differing[:_MAX_NAMED]), len(differing) - _MAX_NAMED
    if rest > 0:
        names += f" and {rest} more"
    return wrong(f"differs from the code and its settings in {names}; `make cdk ARGS=diff`, then deploy", DEPLOYMENT)


def _differences(code: Mapping[str, Any], deployed: Mapping[str, Any]) -> Iterator[str]:
    """The resources and properties in which two templates differ."""
    ours, theirs = code.get("Resources", {}), deployed.get("Resources", {})
    for logical_id in {*ours, *theirs}:
        if logical_id not in ours or logical_id not in theirs:
            yield f"{logical_id} ({'not deployed' if logical_id in ours else 'no longer in the code'})"
            continue
        one, other = ours[logical_id].get("Properties", {}), theirs[logical_id].get("Properties", {})
        yield from (f"{logical_id}.{name}" for name in {*one, *other} if one.get(name) != other.get(name))
