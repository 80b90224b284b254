"""What an emulator that something else started can do: which services answer, and whether and how it runs functions.

Each service is asked for a list, and a function with a layer is created, called and deleted: emulators differ most in
that, and their documentation does not say what is installed beside them (Docker, or packages).
"""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from local.answers import REFUSALS, one_line, reason_of
from local.errors import EndpointError
from local.session import LocalSession

SERVICES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ApiGatewayV2": ("apigatewayv2", "get_apis"),
        "Athena": ("athena", "list_work_groups"),
        "CloudFormation": ("cloudformation", "list_stacks"),
        "CloudWatch": ("cloudwatch", "describe_alarms"),
        "DynamoDB": ("dynamodb", "list_tables"),
        "EC2": ("ec2", "describe_vpcs"),
        "ElastiCache": ("elasticache", "describe_replication_groups"),
        "Events": ("events", "list_rules"),
        "Glue": ("glue", "get_databases"),
        "IAM": ("iam", "list_roles"),
        "KMS": ("kms", "list_keys"),
        "Lambda": ("lambda", "list_functions"),
        "Logs": ("logs", "describe_log_groups"),
        "S3": ("s3", "list_buckets"),
        "SNS": ("sns", "list_topics"),
        "SQS": ("sqs", "list_queues"),
        "SSM": ("ssm", "describe_parameters"),
        "Scheduler": ("scheduler", "list_schedules"),
        "StepFunctions": ("stepfunctions", "list_state_machines"),
    }
)
"""For each service of the templates, by its name in resource types, a client and an operation that changes nothing."""

OF_EVERY_DEPLOYMENT = frozenset({"CloudFormation", "S3", "SSM", "IAM"})
"""The services of the CDK command line."""

MODULES = ("arro3.core", "aws_lambda_powertools", "boto3", "duckdb", "numpy", "pydantic", "redis", "tenacity")
"""Modules of the functions' third-party packages."""

_ONE_TRY = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=15)
_SLOW_ANSWERS = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=120)
_LAYER = "agent_memory_probe_layer"
_SOURCE = f"""
import importlib.util, platform, sys

def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False

def handler(event, _):
    return {{
        "python": "%d.%d" % sys.version_info[:2],
        "machine": platform.machine(),
        "missing": [name for name in event["modules"] if not found(name)],
        "layers": found("{_LAYER}"),
    }}
"""


@dataclass(frozen=True, slots=True)
class Functions:
    """How an emulator runs functions.

    Attributes:
        python: version of their interpreter, as "3.13".
        has_packages: whether they see the third-party packages of the product without layers.
    """

    python: str
    has_packages: bool


def account_of(session: LocalSession, name: str) -> str:
    """The account that the emulator assigns to the session's keys.

    Args:
        session: its session.
        name: how the endpoint is called in an error.

    Raises:
        EndpointError: nothing answers there, or something that is no emulator of AWS.
    """
    try:
        return str(session.client("sts", config=_ONE_TRY).get_caller_identity()["Account"])
    except ClientError as error:
        answer = f"sts:GetCallerIdentity is answered by {reason_of(error)}"
    except REFUSALS as error:
        answer = reason_of(error)
    raise EndpointError(
        f"no AWS emulator answers at {name}: {answer}. Start it, or unset the variable to start one here"
    )


def missing_services(session: LocalSession, services: Iterable[str]) -> dict[str, str]:
    """The reason by the name of each of these services that the emulator does not have."""
    reasons = {service: _reason_if_missing(session, *SERVICES[service]) for service in sorted(services)}
    return {service: reason for service, reason in reasons.items() if reason}


def _reason_if_missing(session: LocalSession, service: str, operation: str) -> str | None:
    try:
        getattr(session.client(service, config=_ONE_TRY), operation)()
    except REFUSALS as error:
        return reason_of(error)
    return None


def probe_functions(session: LocalSession) -> Functions | str:
    """Create, call and delete a function with a layer; the reason where functions do not run or have no layers."""
    name = f"agent-memory-probe-{uuid.uuid4().hex[:8]}"
    iam, functions = session.client("iam", config=_ONE_TRY), session.client("lambda", config=_SLOW_ANSWERS)
    try:
        answer = _call_function(iam, functions, name)
    except REFUSALS as error:
        return reason_of(error)
    finally:
        _clean_up(iam, functions, name)
    return answer


def _call_function(iam: Any, functions: Any, name: str) -> Functions | str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    layer = functions.publish_layer_version(LayerName=name, Content={"ZipFile": _zip(f"python/{_LAYER}.py", "")})
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="probe.handler",
        Role=role,
        Timeout=20,
        Code={"ZipFile": _zip("probe.py", _SOURCE)},
        Layers=[layer["LayerVersionArn"]],
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    response = functions.invoke(FunctionName=name, Payload=json.dumps({"modules": MODULES}))
    return _understood(response["Payload"].read(), failed="FunctionError" in response)


def _understood(payload: bytes, *, failed: bool) -> Functions | str:
    text = payload.decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if failed or not isinstance(answer, dict) or "python" not in answer:
        return one_line(text) or "an empty answer"
    if not answer["layers"]:
        return "its functions do not see their layers"
    return Functions(answer["python"], has_packages=not answer["missing"])


def _clean_up(iam: Any, functions: Any, name: str) -> None:
    """Delete what the probe created; what cannot be deleted has a name of its own and stands in nobody's way."""
    steps: tuple[tuple[Callable[..., Any], dict[str, Any]], ...] = (
        (functions.delete_function, {"FunctionName": name}),
        (functions.delete_layer_version, {"LayerName": name, "VersionNumber": 1}),
        (iam.delete_role, {"RoleName": name}),
    )
    for step, arguments in steps:
        with suppress(*REFUSALS):
            step(**arguments)


def _zip(name: str, source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, source)
    return content.getvalue()
