"""Deploys the templates for AWS, `profile=aws`, into a local cloud, without what its emulator does not have.

They differ from those of `profile=local`, with which the local cloud is usually deployed: in their permissions, in the
network of the functions, and in the settings that an emulator ignores. The functions do not run: their wheels are left
out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local import LocalCloud, environment
from local.assembly import Assembly, synthesize
from local.deploy import Deployer
from local.emulator import ROOT_KEYS
from local.layout import ROOT
from local.node import ensure_cdk, find_node
from local.processes import Tools
from local.protection import protect
from local.session import LocalSession

MISSING_TYPES = frozenset(
    {
        "AWS::BedrockAgentCore::Gateway",
        "AWS::BedrockAgentCore::GatewayTarget",
        "AWS::Budgets::Budget",
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::EC2::FlowLog",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
    }
)
"""The types of resources that the emulator's CloudFormation does not have."""

_ROLES = ("assumeRoleArn", "cloudFormationExecutionRoleArn", "lookupRole")
_NO_WHEELS = {"aws:cdk:bundling-stacks": []}


@dataclass
class Deployment:
    """A deployment of the stacks into an account and a region of a local cloud.

    Attributes:
        cloud: the local cloud, which runs.
        settings: the CDK context; a value of None stands for the setting's default.
        account: the account, and the key of its root.
        templates: the templates that were deployed last, as synthesized, by the name that follows the prefix.
        said: what the command line printed last.
    """

    cloud: LocalCloud
    settings: dict[str, str | None]
    account: str = environment.ACCOUNT
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    said: str = ""

    @property
    def session(self) -> LocalSession:
        """A session of the account's root."""
        region = self.settings.get("region") or environment.REGION
        return LocalSession(endpoint_url=self.cloud.endpoint_url, region=region, **self._keys)

    def deploy(self, **changed: str | None) -> None:
        """Deploy with changed settings, from now on; a setting of None gets its default.

        Raises:
            LocalCloudError: the app or the command line refused it, and the settings are what they were before.
        """
        before, self.settings = self.settings, {**self.settings, **changed}
        try:
            templates = self._deploy()
        except BaseException:
            self.settings = before
            raise
        self.templates = templates

    @property
    def _keys(self) -> dict[str, str]:
        return ROOT_KEYS | {"access_key": self.account}

    @property
    def prefix(self) -> str:
        """How the names of its stacks, tables and functions begin."""
        return self.settings.get("prefix") or "agent-memory"

    def _deploy(self) -> dict[str, dict[str, Any]]:
        tools, node, layout = Tools(), find_node(), self.cloud.layout
        context = {**_NO_WHEELS, **{name: value for name, value in self.settings.items() if value is not None}}
        folder = layout.state / "assembly-for-aws"
        assembly = synthesize(
            tools, ROOT / "app.py", folder, context=context, node=node, log=layout.log("synth"), account=self.account
        )
        templates = {one.name.rsplit("-", 1)[1]: one.template for one in assembly.stacks()}
        _adapt(assembly)
        variables = environment.of_clients(self.cloud.endpoint_url, **self._keys)
        region = self.settings.get("region") or environment.REGION
        variables |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        cdk = ensure_cdk(tools, node, layout.root, layout.log("npm"))
        deployer = Deployer(tools, layout, node, cdk, self.session, variables, self.account)
        if not deployer.bootstrapped():
            deployer.run("bootstrap", f"aws://{self.account}/{region}")
        self.said = deployer.run(
            "deploy", "--all", "--method=direct", "--require-approval=never", "--concurrency=4", assembly=assembly
        )
        for stack in assembly.stacks():
            protect(stack, self.session)
        return templates


def _adapt(assembly: Assembly) -> None:
    """Leave out the missing types, and the roles of the toolkit, to which the emulator's bucket would require TLS."""
    for file in assembly.folder.rglob("*.json"):
        content = json.loads(file.read_text())
        if file.name.endswith(".template.json"):
            content = adapted(content)
        elif file.name.endswith(".assets.json") or file.name == "manifest.json":
            content = _without(content, _ROLES)
        else:
            continue
        file.write_text(json.dumps(content))


def adapted(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without resources of the missing types and outputs of them, and with metrics for alarms' queries."""
    left_out = {name for name, one in template["Resources"].items() if one["Type"] in MISSING_TYPES}
    kept = {name: dict(one) for name, one in template["Resources"].items() if name not in left_out}
    for resource in kept.values():
        if "DependsOn" in resource:
            before = resource["DependsOn"]
            before = [before] if isinstance(before, str) else before
            resource["DependsOn"] = [one for one in before if one not in left_out]
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
            resource["Properties"] = _with_metric(resource["Properties"])
    outputs = {
        name: one
        for name, one in template.get("Outputs", {}).items()
        if not any(f'"{missing}"' in json.dumps(one["Value"]) for missing in left_out)
    }
    return {**template, "Resources": kept, "Outputs": outputs}


def _with_metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm whose metric has the query as its name: the emulator has no alarms on queries."""
    (query,) = alarm["Metrics"]
    metric = {"Namespace": "AWS/DynamoDB", "MetricName": query["Expression"], "Period": query["Period"]}
    return {key: one for key, one in alarm.items() if key != "Metrics"} | metric | {"Statistic": "Sum"}


def _without(value: Any, names: tuple[str, ...]) -> Any:
    match value:
        case dict():
            return {key: _without(one, names) for key, one in value.items() if key not in names}
        case list():
            return [_without(one, names) for one in value]
    return value
