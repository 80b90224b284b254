"""`cdk bootstrap` and `cdk deploy --all` into the local cloud, but only when something has changed."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.assembly import Assembly, Stack
from local.environment import ACCOUNT, REGION
from local.errors import LocalCloudError
from local.exports import check_exports
from local.layout import Layout
from local.node import Node
from local.processes import Tools
from local.session import LocalSession

_TOOLKIT = "CDKToolkit"
# The digest of the deployed assembly is kept in the emulator, so that it is lost whenever the stacks are.
_DIGEST_PARAMETER = "/local-cloud/deployed-assembly"
_QUIET = ("--no-notices", "--no-version-reporting", "--no-color", "--ci")


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys assemblies with the CDK command line."""

    tools: Tools
    layout: Layout
    node: Node
    cdk: Path
    session: LocalSession
    environment: Mapping[str, str]
    account: str = ACCOUNT

    def bootstrap(self) -> None:
        """Create the toolkit stack, with the bucket for assets, unless it exists."""
        if not self.bootstrapped():
            self.run("bootstrap", f"aws://{self.account}/{REGION}")

    def bootstrapped(self) -> bool:
        """Whether the toolkit stack is deployed."""
        return _is_complete(describe_stack(self.session, _TOOLKIT))

    def deploy(self, assembly: Assembly, *, import_existing: bool = False) -> None:
        """Deploy every stack of the assembly, concurrently where their dependencies allow it.

        Args:
            assembly: the synthesized stacks.
            import_existing: import retained resources of the same name into their stack. This needs change sets, and
                deploying without them is faster.
        """
        method = "--import-existing-resources" if import_existing else "--method=direct"
        self.run("deploy", "--all", method, "--require-approval=never", "--concurrency=4", assembly=assembly)
        self.session.client("ssm").put_parameter(
            Name=_DIGEST_PARAMETER, Value=assembly.digest(), Type="String", Overwrite=True
        )

    def deploy_separately(self, assembly: Assembly, stacks: Sequence[Stack]) -> dict[str, str]:
        """Deploy as many of these stacks as possible: one that fails stops only those that are deployed after it.

        Args:
            assembly: the synthesized stacks.
            stacks: those to deploy.

        Returns:
            The reason by the name of each stack that is not deployed.
        """
        try:
            self._deploy_only(assembly, *stacks)
        except LocalCloudError:
            return self._deploy_one_by_one(assembly, stacks)
        return {}

    def _deploy_one_by_one(self, assembly: Assembly, stacks: Sequence[Stack]) -> dict[str, str]:
        failed: dict[str, str] = {}
        for stack in in_order(stacks):
            if blocked := stack.after & failed.keys():
                failed[stack.name] = f"it needs {', '.join(sorted(blocked))}"
                continue
            try:
                self._deploy_only(assembly, stack)
            except LocalCloudError as error:
                failed[stack.name] = str(error)
        return failed

    def _deploy_only(self, assembly: Assembly, *stacks: Stack) -> None:
        names = [stack.name for stack in stacks]
        if names:
            options = ("--exclusively", "--method=direct", "--require-approval=never", "--concurrency=4")
            self.run("deploy", *names, *options, assembly=assembly)

    def is_deployed(self, assembly: Assembly, stacks: list[Stack]) -> bool:
        """Whether exactly this assembly was deployed last, and all its stacks are complete."""
        try:
            digest = self.session.client("ssm").get_parameter(Name=_DIGEST_PARAMETER)["Parameter"]["Value"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ParameterNotFound":
                return False
            raise
        return digest == assembly.digest() and all(_is_complete(describe_stack(self.session, s.name)) for s in stacks)

    def run(self, *arguments: str, assembly: Assembly | None = None) -> str:
        """Run the CDK command line and return its output.

        Raises:
            LocalCloudError: it failed, or AWS would refuse it; the message says why.
        """
        verb, log = arguments[0], self.layout.log(f"cdk-{arguments[0]}")
        if verb == "deploy" and assembly:
            check_exports(self.session, assembly.stacks())
        app = ["--app", str(assembly.folder)] if assembly else []
        inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        # The command line caches the accounts of access keys in the user's home folder, whatever HOME says.
        home = str(self.layout.scratch)
        own = {"HOME": home, "CDK_HOME": f"{home}/.cdk", "CDK_DISABLE_CLI_TELEMETRY": "true"}
        try:
            self.tools.run(
                [str(self.node.executable), str(self.cdk), *arguments, *app, *_QUIET],
                environment=inherited | own | dict(self.environment),
                directory=self.layout.state,
                log=log,
            )
        except subprocess.CalledProcessError as error:
            raise LocalCloudError(f"cdk {verb} failed: {_reason(error)} (log: {log})") from error
        return log.read_text(encoding="utf-8", errors="replace")


def in_order(stacks: Sequence[Stack]) -> list[Stack]:
    """The stacks, each after those that are deployed before it."""
    by_name = {stack.name: stack for stack in stacks}
    order = TopologicalSorter({name: stack.after & by_name.keys() for name, stack in by_name.items()})
    return [by_name[name] for name in order.static_order()]


def describe_stack(session: LocalSession, name: str) -> dict[str, Any] | None:
    """Describe a deployed stack; None if there is no stack of that name."""
    try:
        stacks: list[Any] = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return stacks[0] if stacks else None


def outputs_of(session: LocalSession, stacks: list[Stack]) -> dict[str, str]:
    """The outputs of all deployed stacks by key."""
    described = [describe_stack(session, stack.name) for stack in stacks]
    return {
        output["OutputKey"]: output["OutputValue"]
        for stack in described
        if stack
        for output in stack.get("Outputs", [])
    }


def _is_complete(stack: dict[str, Any] | None) -> bool:
    return stack is not None and stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def _reason(error: subprocess.CalledProcessError) -> str:
    lines = [line.strip() for line in str(error.output).splitlines() if line.strip()]
    reasons = [line for line in lines if any(word in line for word in ("FAILED", ": fail:", "rror:"))]
    return (reasons or lines[-1:] or [f"exit code {error.returncode}"])[0]
