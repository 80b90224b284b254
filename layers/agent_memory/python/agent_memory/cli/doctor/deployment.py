"""A deployment as the doctor sees it: its stacks, and questions to the services behind them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from agent_memory.storage.aws_errors import AWS_ERRORS, error_code, translate_error

REQUIRED = ("storage", "api", "nightly", "query", "operations")
OPTIONAL = ("cache", "audit")

_DENIED = re.compile(r"AccessDenied|Unauthorized|Forbidden|NotAuthorized|\A403\Z")
_ABSENT = re.compile(r"NoSuch|NotFound|DoesNotExist|NonExistent|\A404\Z")
_AWS = re.compile(r"\.amazonaws\.(com(\.cn)?|eu)\Z|\.api\.aws\Z")
# Of a resource that a roll-back or an update has removed; the listing of its stack still has it.
_REMOVED = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})
_UNKNOWN = re.compile(r"UnknownOperation|NotImplemented|InvalidAction|UnsupportedOperation|InternalFailure|\A501\Z")
_PREFIXES = {"stepfunctions": "states", "apigatewayv2": "apigateway"}
# Actions that do not have the name of their operation.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_ACTIONS = {
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
}


class CannotLook(Exception):
    """A service did not show what a check needs."""


class NotAllowed(CannotLook):
    """The credentials lack the action that the message names."""


class NotOffered(CannotLook):
    """The local cloud does not have the operation."""


class Absent(CannotLook):
    """There is no such thing."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a deployed stack."""

    stack: str
    logical_id: str
    type: str
    name: str
    """Its physical id."""
    properties: Mapping[str, Any]
    """What the deployed template says."""
    is_retained: bool = False
    """Whether the template says that it outlives its stack."""
    stack_name: str = ""

    @property
    def how_to_set_back(self) -> str:
        """What makes the resource what its stack says: a deployment alone updates only what the template changes.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
        """
        return f'run `make cdk ARGS="deploy --revert-drift {self.stack_name}"` with the settings of the deployment'


@dataclass(frozen=True, slots=True)
class StackView:
    """A deployed stack."""

    name: str
    status: str
    reason: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False
    """From termination."""


class Deployment:
    """One deployment, through a boto3 session.

    Attributes:
        prefix: how the names of its stacks begin.
    """

    def __init__(self, session: Any, prefix: str) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}
        self.prefix = prefix

    @property
    def session(self) -> Any:
        """The session, to sign requests."""
        return self._session

    def ask(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The response of an operation, as `describe_table`.

        Raises:
            NotAllowed, NotOffered, Absent, CannotLook: instead of the errors of AWS.
        """
        try:
            response: dict[str, Any] = getattr(self._client(service), operation)(**parameters)
        except AWS_ERRORS as error:
            raise self._translated(service, error) from error
        return response

    def pages(self, service: str, operation: str, member: str, **parameters: Any) -> Iterator[Any]:
        """The members of all pages of a listing; errors as `ask`."""
        try:
            for page in self._client(service).get_paginator(operation).paginate(**parameters):
                yield from page.get(member, ())
        except AWS_ERRORS as error:
            raise self._translated(service, error) from error

    @cached_property
    def is_local(self) -> bool:
        """Whether the services are those of a local cloud."""
        host = urlsplit(str(self._client("cloudformation").meta.endpoint_url)).hostname or ""
        return not _AWS.search(host)

    @property
    def region(self) -> str:
        """The region that is looked at."""
        return str(self._client("cloudformation").meta.region_name)

    @cached_property
    def stacks(self) -> dict[str, StackView]:
        """The deployed stacks by their names without the prefix; those that do not exist are left out."""
        found = {}
        for short in (*REQUIRED, *OPTIONAL):
            try:
                (one,) = self.ask("cloudformation", "describe_stacks", StackName=f"{self.prefix}-{short}")["Stacks"]
            except Absent:
                continue
            found[short] = StackView(
                one["StackName"],
                one["StackStatus"],
                one.get("StackStatusReason", ""),
                {output["OutputKey"]: output["OutputValue"] for output in one.get("Outputs", ())},
                {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())},
                bool(one.get("EnableTerminationProtection")),
            )
        return found

    def template(self, short: str) -> Mapping[str, Any]:
        """The deployed template of a stack."""
        body = self.ask("cloudformation", "get_template", StackName=self.stacks[short].name)["TemplateBody"]
        document: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
        return document

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources of all deployed stacks."""
        found = []
        for short, stack in self.stacks.items():
            declared = self.template(short).get("Resources", {})
            member = "StackResourceSummaries"
            for one in self.pages("cloudformation", "list_stack_resources", member, StackName=stack.name):
                logical_id, name = one["LogicalResourceId"], one.get("PhysicalResourceId", "")
                if not name or one.get("ResourceStatus") in _REMOVED:
                    continue
                template = declared.get(logical_id, {})
                properties, policy = template.get("Properties", {}), template.get("DeletionPolicy", "")
                is_retained = policy.startswith("Retain")
                kind = one["ResourceType"]
                found.append(Resource(short, logical_id, kind, name, properties, is_retained, stack.name))
        return found

    def of_type(self, kind: str) -> list[Resource]:
        """The deployed resources of a type, as `AWS::DynamoDB::Table`."""
        return [one for one in self.resources if one.type == kind]

    def output(self, short: str, name: str) -> str:
        """An output of a stack; `Absent` if there is no such stack or output."""
        stack = self.stacks.get(short)
        if stack is None or name not in stack.outputs:
            raise Absent(f"the stack {self.prefix}-{short} has no output {name}")
        return stack.outputs[name]

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service)
        return self._clients[service]

    def _translated(self, service: str, error: Exception) -> CannotLook:
        response = getattr(error, "response", None)
        if response is None:
            return CannotLook(str(translate_error(error, service)))
        code, operation = error_code(error), error.operation_name  # type: ignore[arg-type,attr-defined]  # a ClientError
        message = str(response.get("Error", {}).get("Message", ""))
        if _DENIED.search(code):
            prefix = _PREFIXES.get(service, service)
            return NotAllowed(_ACTIONS.get(operation, f"{prefix}:{operation}"))
        if self.is_local and _UNKNOWN.search(code):
            return NotOffered(f"{service} {operation}")
        if _ABSENT.search(code) or (code == "ValidationError" and "does not exist" in message):
            return Absent(f"{service} {operation}: {code}: {message}")
        return CannotLook(f"{service} {operation}: {code}: {message}")
