"""Checks of what runs: functions, the nightly job, alarms, the cache, the API, and decisions that arrive."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_memory.cli.doctor.deployment import Absent, CannotLook, Deployment, NotAllowed, Resource
from agent_memory.cli.doctor.findings import DEPLOYMENT, SECURITY, Look, fine, note, runbook, wrong
from agent_memory.core.clock import END_OF_TIME_MS, Span, to_iso
from agent_memory.ports.decisions import Selection
from agent_memory.ports.stores import Stores

_RUNBOOK = re.compile(r"Runbook: (?P<page>\S+\.md)")
_LEAST_CONCURRENCY = 100
_HOURS_BETWEEN_RUNS = 28  # as the alarm nightly-job-missed
_MAX_AGENTS = 50
_TIMEOUT_SECONDS = 35


# --- functions -----------------------------------------------------------------------------------


def function_state(deployment: Deployment, function: Resource) -> Look:
    """Whether a function can be invoked and its last update succeeded."""
    found = deployment.ask("lambda", "get_function_configuration", FunctionName=function.name)
    if found.get("State") == "Pending":
        return note("is being created or updated; look again in a minute", runbook("api-errors"))
    if found.get("State", "Active") not in ("Active", "Inactive"):
        return wrong(f"is {found['State']}: {found.get('StateReason', 'no reason given')}", runbook("api-errors"))
    if found.get("LastUpdateStatus", "Successful") == "Failed":
        why = found.get("LastUpdateStatusReason", "no reason given")
        return wrong(f"its last update failed: {why}; deploy again", runbook("api-errors"))
    return fine("active")


def function_settings(deployment: Deployment, function: Resource) -> Look:
    """Whether a function has the runtime, the layers, the tables and the bucket of its deployment."""
    found = deployment.ask("lambda", "get_function_configuration", FunctionName=function.name)
    faults = []
    runtime = function.properties.get("Runtime")
    if runtime and found.get("Runtime") != runtime:
        faults.append(f"runs on {found.get('Runtime')} instead of {runtime}")
    layers = len(function.properties.get("Layers", ()))
    if len(found.get("Layers", ())) != layers:
        faults.append(f"has {len(found.get('Layers', ()))} layers instead of {layers}")
    variables = found.get("Environment", {}).get("Variables", {})
    expected = {
        "AGENT_MEMORY_TABLE_PREFIX": deployment.output("storage", "TablePrefix"),
        "AGENT_MEMORY_ARCHIVE_BUCKET": deployment.output("storage", "ArchiveBucketName"),
    }
    faults += [
        f"its {name} is {variables[name]} instead of {value}"
        for name, value in expected.items()
        if name in variables and variables[name] != value
    ]
    if faults:
        return wrong(f"{'; '.join(faults)}; {function.how_to_set_back}", DEPLOYMENT)
    return fine("as its stack says")


def function_concurrency(deployment: Deployment, function: Resource) -> Look:
    """Whether a function has the reserved concurrency of its stack, and any at all."""
    found = deployment.ask("lambda", "get_function_concurrency", FunctionName=function.name)
    reserved = found.get("ReservedConcurrentExecutions")
    expected = function.properties.get("ReservedConcurrentExecutions")
    if reserved == 0:
        return wrong(f"its reserved concurrency is 0: it was switched off; {function.how_to_set_back}", DEPLOYMENT)
    if reserved != expected:
        return wrong(f"{reserved} are reserved instead of {expected}; {function.how_to_set_back}", DEPLOYMENT)
    return fine("none is reserved" if reserved is None else f"{reserved} are reserved")


def account_concurrency(deployment: Deployment) -> Look:
    """Whether the account allows enough functions to run at once; new accounts start with ten."""
    found = deployment.ask("lambda", "get_account_settings")["AccountLimit"]
    limit, free = int(found["ConcurrentExecutions"]), int(found["UnreservedConcurrentExecutions"])
    if limit < _LEAST_CONCURRENCY or free < _LEAST_CONCURRENCY // 2:
        return wrong(
            f"the account runs {limit} functions at once, {free} of them unreserved: requests and the nightly job are "
            "throttled; request a higher limit from AWS, and set map_concurrency below it",
            runbook("api-errors"),
        )
    return fine(f"the account runs {limit:,} functions at once")


# --- the nightly job -----------------------------------------------------------------------------


def schedule(deployment: Deployment, one: Resource) -> Look:
    """Whether the nightly job is scheduled."""
    try:
        found = deployment.ask("scheduler", "get_schedule", Name=one.name.rpartition("|")[2].rpartition("/")[2])
    except Absent:
        return wrong(f"its stack has it, but there is none; {one.how_to_set_back}", runbook("nightly-job-missed"))
    if found["State"] != "ENABLED":
        return wrong("is disabled; enable it again", runbook("nightly-job-missed"))
    return fine(f"{found['ScheduleExpression']} {found.get('ScheduleExpressionTimezone', 'UTC')}")


def last_run(deployment: Deployment, machine: Resource) -> Look:
    """Whether the nightly job ran lately and succeeded."""
    runs = deployment.ask("stepfunctions", "list_executions", stateMachineArn=machine.name, maxResults=1)["executions"]
    if not runs:
        return note(f"has not run yet; the first run is due within {_HOURS_BETWEEN_RUNS} hours of the deployment")
    last = runs[0]
    at = f"{last['startDate'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if last["status"] in ("FAILED", "ABORTED"):
        return wrong(f"the last run, of {at}, {last['status'].lower()}", runbook("nightly-job-failed"))
    if last["status"] == "TIMED_OUT":
        return wrong(f"the last run, of {at}, timed out", runbook("nightly-job-timed-out"))
    if datetime.now(UTC) - last["startDate"] > timedelta(hours=_HOURS_BETWEEN_RUNS):
        return wrong(f"the last run was that of {at}", runbook("nightly-job-missed"))
    return fine(f"the last run, of {at}: {last['status']}")


def missed_starts(deployment: Deployment, queue: Resource) -> Look:
    """Whether the scheduler failed to start the nightly job."""
    name = queue.name.rpartition("/")[2]
    url = deployment.ask("sqs", "get_queue_url", QueueName=name)["QueueUrl"]
    names = ["ApproximateNumberOfMessages"]
    found = deployment.ask("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    waiting = int(found["ApproximateNumberOfMessages"])
    if waiting:
        return wrong(f"{waiting} starts of the nightly job failed", runbook("nightly-job-start-failed"))
    return fine("no start of the nightly job failed")


# --- alarms --------------------------------------------------------------------------------------


def alarms(deployment: Deployment, alarm: Resource) -> Look:
    """Whether an alarm is active, and whether it would notify anyone."""
    answer = deployment.ask("cloudwatch", "describe_alarms", AlarmNames=[alarm.name])
    found: list[dict[str, Any]] = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
    if not found:
        return wrong(f"there is no such alarm, although its stack has it; {alarm.how_to_set_back}", DEPLOYMENT)
    one = found[0]
    page = _RUNBOOK.search(one.get("AlarmDescription", ""))
    if one["StateValue"] == "ALARM":
        what = one.get("AlarmDescription", "it is active").split(" Runbook:")[0]
        return wrong(what, page["page"] if page else runbook("README"))
    if not one.get("ActionsEnabled", True):
        return wrong("its actions are disabled, so that nobody would be notified; enable them", DEPLOYMENT)
    return fine(one["StateValue"])


def subscriptions(deployment: Deployment) -> Look:
    """Whether anyone receives the alarms."""
    topic = deployment.output("operations", "AlarmTopicArn")
    found = list(deployment.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic))
    pending = [one["Endpoint"] for one in found if not one["SubscriptionArn"].startswith("arn:")]
    if len(found) > len(pending):
        return fine(f"{len(found) - len(pending)} confirmed")
    if pending:
        return wrong(f"nobody receives alarms: {pending[0]} has to confirm, by the link in the e-mail", DEPLOYMENT)
    if deployment.is_local:
        return note("nobody receives alarms, which a local cloud does not need")
    return wrong("nobody receives alarms; deploy with the setting alarm_email, or subscribe to the topic", DEPLOYMENT)


# --- the cache, the API, decisions ---------------------------------------------------------------


def cache(deployment: Deployment, group: Resource) -> Look:
    """Whether the cache is available. Its content can be reached from its VPC only."""
    try:
        answer = deployment.ask("elasticache", "describe_replication_groups", ReplicationGroupId=group.name)
        (found,) = answer["ReplicationGroups"]
    except Absent:
        why = f"there is no such cache, although its stack has it; {group.how_to_set_back}"
        return wrong(why, runbook("cache-unavailable"))
    if found["Status"] not in ("available", "snapshotting"):
        return wrong(f"is {found['Status']}", runbook("cache-unavailable"))
    return fine("available; it answers in its VPC only, so that it was not asked for a value")


def api(deployment: Deployment, url: str) -> Look:
    """Whether the API answers a signed request, and refuses one that is not signed."""
    path = f"{url}/v1/agents/doctor/state"
    unsigned = _get(deployment, path, signed=False)
    if unsigned not in (401, 403):
        return wrong(f"answers requests that are not signed ({unsigned}): its authorizer was changed by hand", SECURITY)
    answer = _get(deployment, path, signed=True)
    if answer == 403:  # noqa: PLR2004  an HTTP status
        raise NotAllowed("execute-api:Invoke")
    if answer in (200, 404):
        return fine("answers a signed request, and refuses others")
    if answer == 429:  # noqa: PLR2004  an HTTP status
        return wrong("is throttled (429)", runbook("api-errors"))
    return wrong(f"answers {answer}", runbook("api-errors"))


def last_decision(stores: Stores) -> Look:
    """When an agent logged a decision last."""
    agents = stores.states.agents()
    newest, newest_ms = "", -1
    for agent in agents[:_MAX_AGENTS]:
        registered = stores.states.registration(agent)
        for kind in registered.decision_types:
            selection = Selection(agent, kind, shards=registered.write_shards)
            for one in stores.decisions.scan(selection, Span(0, END_OF_TIME_MS), first=1, on_unreadable=lambda _: None):
                if one.timestamp_ms > newest_ms:
                    newest, newest_ms = agent, one.timestamp_ms
                break
    cut = f"; of {len(agents):,} agents {_MAX_AGENTS} were looked at" if len(agents) > _MAX_AGENTS else ""
    if newest_ms < 0:
        return note(f"no agent has logged a decision yet{cut}", DEPLOYMENT)
    message = f"the last one is that of {newest}, {to_iso(newest_ms)}{cut}"
    if stores.clock.now_ms() - newest_ms > timedelta(days=1) / timedelta(milliseconds=1):
        return note(f"none in the last day; {message}", runbook("decisions-stopped"))
    return fine(message)


def _get(deployment: Deployment, url: str, *, signed: bool) -> int:
    """The status of a GET request."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415  after the check for the extra
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    request = AWSRequest(method="GET", url=url)
    if signed:
        credentials = deployment.session.get_credentials().get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", deployment.region).add_auth(request)
    try:
        return int(URLLib3Session(timeout=_TIMEOUT_SECONDS).send(request.prepare()).status_code)
    except HTTPClientError as error:
        raise CannotLook(f"{url} did not respond: {type(error).__name__}") from error
