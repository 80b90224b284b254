"""Runs all checks of a deployment, each on every part that it is about."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent_memory.cli.doctor import checks_data as data
from agent_memory.cli.doctor import checks_running as running
from agent_memory.cli.doctor import checks_stacks as stacks
from agent_memory.cli.doctor.deployment import (
    OPTIONAL,
    REQUIRED,
    Absent,
    CannotLook,
    Deployment,
    NotAllowed,
    NotOffered,
    Resource,
)
from agent_memory.cli.doctor.findings import DEPLOYMENT, Finding, Look, State, note
from agent_memory.core.errors import AccessDenied, AgentMemoryError
from agent_memory.ports.stores import Stores


@dataclass(frozen=True, slots=True)
class _Check:
    """One look at one part of the deployment."""

    name: str
    subject: str
    look: Callable[[], Look]


_OF_RESOURCES: Sequence[tuple[str, str, Callable[[Deployment, Resource], Look]]] = (
    ("AWS::DynamoDB::Table", "status", data.status),
    ("AWS::DynamoDB::Table", "deletion protection", data.deletion_protection),
    ("AWS::DynamoDB::Table", "point-in-time recovery", data.point_in_time_recovery),
    ("AWS::DynamoDB::Table", "encryption", data.table_encryption),
    ("AWS::DynamoDB::Table", "time to live", data.time_to_live),
    ("AWS::DynamoDB::Table", "throttled requests", data.throttles),
    ("AWS::DynamoDB::Table", "write rate", data.write_rate),
    ("AWS::S3::Bucket", "versions", data.bucket_versions),
    ("AWS::S3::Bucket", "encryption", data.bucket_encryption),
    ("AWS::S3::Bucket", "public access", data.bucket_access),
    ("AWS::S3::Bucket", "lifecycle", data.bucket_lifecycle),
    ("AWS::S3::Bucket", "object lock", data.bucket_lock),
    ("AWS::KMS::Key", "key", data.key_state),
    ("AWS::Lambda::Function", "state", running.function_state),
    ("AWS::Lambda::Function", "settings", running.function_settings),
    ("AWS::Lambda::Function", "concurrency", running.function_concurrency),
    ("AWS::Scheduler::Schedule", "schedule", running.schedule),
    ("AWS::StepFunctions::StateMachine", "last run", running.last_run),
    ("AWS::SQS::Queue", "missed starts", running.missed_starts),
    ("AWS::CloudWatch::Alarm", "alarm", running.alarms),
    ("AWS::CloudWatch::CompositeAlarm", "alarm", running.alarms),
    ("AWS::ElastiCache::ReplicationGroup", "cache", running.cache),
)


def examine(
    deployment: Deployment,
    open_stores: Callable[[str], Stores],
    *,
    api_url: str | None = None,
    templates: Path | None = None,
) -> Iterator[Finding]:
    """The findings of all checks, in the order of the checks.

    Args:
        deployment: what is looked at.
        open_stores: opens the stores with tables of a prefix, to look for decisions.
        api_url: the API's address; by default the output of its stack.
        templates: the folder of the synthesized templates, with which the deployed ones are compared.
    """
    first = _finding(_Check("credentials", "AWS", lambda: stacks.credentials(deployment)))
    yield first
    if first.state is not State.FINE:
        return
    yield _finding(_Check("clock", "AWS", lambda: stacks.clock(deployment)))
    yield from map(_finding, _of_stacks(deployment, templates))
    try:
        checks = list(_of_deployed(deployment))
    except CannotLook as error:
        yield _failed("resources", deployment.prefix, error)
        return
    yield from map(_finding, checks)
    yield from map(_finding, _of_services(deployment, open_stores, api_url))


def exit_code(findings: Sequence[Finding]) -> int:
    """0 if nothing is wrong, 1 if something is, 2 if something could not be looked at and nothing else is wrong."""
    states = {one.state for one in findings}
    if State.WRONG in states:
        return 1
    return 2 if states & {State.NOT_ALLOWED, State.NO_ANSWER} else 0


def _of_stacks(deployment: Deployment, templates: Path | None) -> Iterator[_Check]:
    for short in (*REQUIRED, *OPTIONAL):
        yield _Check("stack", f"{deployment.prefix}-{short}", partial(stacks.stack, deployment, short))
    yield _Check("same deployment", deployment.prefix, lambda: stacks.same_deployment(deployment))
    if templates is None:
        why = "were not compared with the code: pass --templates cdk.out, after `make synth` with the same settings"
        yield _Check("settings", deployment.prefix, lambda: note(why, DEPLOYMENT))
        return
    for short in deployment.stacks:
        subject = f"{deployment.prefix}-{short}"
        yield _Check("settings", subject, partial(stacks.settings, deployment, short, templates))


def _of_deployed(deployment: Deployment) -> Iterator[_Check]:
    for kind, name, look in _OF_RESOURCES:
        for resource in deployment.of_type(kind):
            if name == "missed starts" and not resource.name.endswith("missed-starts"):
                continue
            subject = resource.name.rpartition("/")[2].rpartition(":")[2] or resource.logical_id
            yield _Check(name, subject, partial(look, deployment, resource))


def _of_services(deployment: Deployment, open_stores: Callable[[str], Stores], api_url: str | None) -> Iterator[_Check]:
    name = f"{deployment.prefix}-storage"
    yield _Check("termination protection", name, lambda: stacks.termination_protection(deployment))
    yield _Check("concurrency", "account", lambda: running.account_concurrency(deployment))
    yield _Check("subscriptions", "alarms", lambda: running.subscriptions(deployment))
    yield _Check("requests", "API", lambda: running.api(deployment, api_url or deployment.output("api", "ApiUrl")))
    yield _Check(
        "decisions", "agents", lambda: running.last_decision(open_stores(deployment.output("storage", "TablePrefix")))
    )


def _finding(check: _Check) -> Finding:
    try:
        seen = check.look()
    except (CannotLook, AgentMemoryError) as error:
        return _failed(check.name, check.subject, error)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        return Finding(check.name, check.subject, State.NO_ANSWER, f"the answer of AWS was not understood: {error!r}")
    return Finding(check.name, check.subject, seen.state, seen.message, seen.page)


def _failed(name: str, subject: str, error: Exception) -> Finding:
    """The finding of a check that was not shown what it asked for."""
    if isinstance(error, NotAllowed):
        return Finding(name, subject, State.NOT_ALLOWED, f"not allowed to look: needs {error}")
    if isinstance(error, AccessDenied):
        return Finding(name, subject, State.NOT_ALLOWED, f"not allowed to look: {error}")
    if isinstance(error, NotOffered):
        return Finding(name, subject, State.NOT_OFFERED, f"the local cloud does not have {error}")
    if isinstance(error, Absent):
        return Finding(name, subject, State.WRONG, f"there is none: {error}", DEPLOYMENT)
    return Finding(name, subject, State.NO_ANSWER, str(error))
