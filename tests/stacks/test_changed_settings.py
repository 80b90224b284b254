"""A setting that is changed after a deployment reaches every stack that uses it, or CloudFormation refuses the change.

CDK skips a stack whose template has not changed. So wherever a template refers to a value of another stack that the
change alters, its text has to change, or the reference has to be an import, which CloudFormation guards.
"""

import json

import pytest

from stacks.config import DeployConfig
from tests.local.changed_settings import missing_settings
from tests.stacks.changed_values import BEFORE, OF_ANOTHER_DEPLOYMENT, OTHER_VALUES
from tests.stacks.conftest import DEPLOYMENTS, synthesize
from tests.stacks.templates import text_of

BASE = {**DEPLOYMENTS["prod"], **BEFORE}
# Changes that add or remove a stack or a reference are tried one by one, the others at once: a synthesis takes seconds.
ALONE = ("archive_bucket", "audit_trail", "cache", "dashboard", "encryption_key", "environment", "summary_alarm")
CASES = {
    **{name: {name: OTHER_VALUES[name]} for name in ALONE},
    "all others": {k: v for k, v in OTHER_VALUES.items() if k not in ALONE},
}
# Properties whose change makes CloudFormation replace the resource, from the schemas of the resource types.
REPLACING = {
    "AWS::ApiGatewayV2::Api": ("ProtocolType",),
    "AWS::DynamoDB::Table": ("TableName", "KeySchema"),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::Subnet": ("CidrBlock", "VpcId", "AvailabilityZone"),
    "AWS::EC2::VPC": ("CidrBlock",),
    "AWS::ElastiCache::ReplicationGroup": ("KmsKeyId", "Port", "CacheSubnetGroupName", "AtRestEncryptionEnabled"),
    "AWS::KMS::Key": (),
    "AWS::Lambda::Function": ("FunctionName", "PackageType"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "StateMachineType"),
}


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return synthesize(tmp_path_factory.mktemp("before"), **BASE)


@pytest.fixture(scope="module")
def after(tmp_path_factory):
    synthesized = {}

    def changed(case):
        if case not in synthesized:
            synthesized[case] = synthesize(tmp_path_factory.mktemp("after"), **{**BASE, **CASES[case]})
        return synthesized[case]

    return changed


def nodes(value):
    """Every object in a template, those within it first."""
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(one)
    if isinstance(value, dict):
        yield value


def references(value):
    """Every import and every output of another stack in a template: (kind, stack, output or export)."""
    for node in nodes(value):
        match node:
            case {"Fn::ImportValue": str(name)}:
                yield "import", name.split(":")[0], name
            case {"Fn::GetStackOutput": {"StackName": stack, "OutputName": output}}:
                yield "output", stack, output


def resources_of(value):
    """The names of the resources that a template refers to."""
    for node in nodes(value):
        match node:
            case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
                yield name


def referred(synthesized, kind, stack, name):
    """The output that a reference reads, or None where there is none."""
    template = synthesized.templates.get(stack.rsplit("-", 1)[1])
    outputs = template.outputs if template else {}
    if kind == "output":
        return outputs.get(name)
    return next((one for one in outputs.values() if one.get("Export", {}).get("Name") == name), None)


def replaced(before, after, stack):
    """Logical ids of the stack's resources that the change replaces or removes."""
    old = before.templates[stack.rsplit("-", 1)[1]].resources
    new = after.templates.get(stack.rsplit("-", 1)[1])
    for name, resource in old.items():
        if new is None or name not in new.resources:
            yield name
            continue
        was, becomes = resource.get("Properties", {}), new.resources[name].get("Properties", {})
        if any(was.get(one) != becomes.get(one) for one in REPLACING.get(resource["Type"], ())):
            yield name


def test_every_setting_is_changed_here():
    assert OTHER_VALUES.keys() | OF_ANOTHER_DEPLOYMENT == DeployConfig.model_fields.keys()
    before = DeployConfig.from_context(BASE)
    for name, value in OTHER_VALUES.items():
        assert getattr(DeployConfig.from_context({**BASE, name: value}), name) != getattr(before, name), name


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_changed_setting_reaches_every_stack_that_uses_it(case, before, after):
    changed = after(case)
    assert {name: one.body for name, one in changed.templates.items()} != {
        name: one.body for name, one in before.templates.items()
    }
    for name, template in before.templates.items():
        if name not in changed.templates:
            continue
        for kind, stack, read in set(references(template.body)):
            value = referred(before, kind, stack, read)["Value"]
            moved = set(resources_of(value)) & set(replaced(before, changed, stack))
            still_there = (kind, stack, read) in set(references(changed[name].body))
            if moved:
                assert not still_there, f"{name} keeps {read}, of which {moved} is replaced"
            if still_there:
                assert referred(changed, kind, stack, read)["Value"] == value


def test_every_setting_is_changed_in_the_local_cloud():
    assert missing_settings() == []


@pytest.mark.slow
def test_what_the_local_cloud_does_not_have_follows_the_settings(before, after, deployments):
    """`tests.local.changed_settings` looks at everything else that is deployed."""
    others = after("all others")
    budget, flow_log = "AWS::Budgets::Budget", "AWS::EC2::FlowLog"
    summary, trail = "AWS::CloudWatch::CompositeAlarm", "AWS::CloudTrail::Trail"
    assert before["operations"].properties(budget) == []
    assert others["operations"].only(budget)["Budget"]["BudgetLimit"]["Amount"] == 25
    assert [one["cache"].only(flow_log)["TrafficType"] for one in (before, others)] == ["REJECT", "ALL"]
    for alarm, there in (("DecisionsStopped", [False, True, False]), ("CacheUnavailable", [True, True, False])):
        rules = [text_of(one["operations"].only(summary)["AlarmRule"]) for one in (before, others, after("cache"))]
        assert [f"Alarm{alarm}" in rule for rule in rules] == there
    assert "audit" not in before.templates
    for which, fields in (("all", set()), ("writes", {"readOnly"})):
        selectors = (after("audit_trail") if which == "all" else deployments("audited writes"))["audit"].only(trail)[
            "AdvancedEventSelectors"
        ]
        for one in selectors:
            found = {field["Field"] for field in one["FieldSelectors"]}
            assert found == {"eventCategory", "resources.type", "resources.ARN"} | fields


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_no_setting_removes_an_export_but_those_that_are_refused(case, before, after):
    """A stack that is deployed first could not remove an export that others still import."""
    changed, removed = after(case), set()
    for name, template in before.templates.items():
        if name in changed.templates:
            now = {one["Export"]["Name"] for one in changed[name].outputs.values() if "Export" in one}
            removed |= {one["Export"]["Name"] for one in template.outputs.values() if "Export" in one} - now
    assert {one.split(":")[1] for one in removed} == (
        {"ArchiveBucketArn", "ArchiveBucketName"} if case == "archive_bucket" else set()
    )


@pytest.mark.slow
def test_the_own_key_cannot_be_given_up_under_its_users(before, after):
    (key,) = [
        one["Export"]["Name"]
        for one in after("encryption_key")["storage"].outputs.values()
        if "Export" in one and "Key" in one["Export"]["Name"]
    ]
    users = {
        name for name, one in after("encryption_key").templates.items() if key in json.dumps(one.body["Resources"])
    }
    assert users == {"api", "cache", "nightly", "operations", "query"}
    assert key not in json.dumps(before["storage"].body)


@pytest.mark.slow
@pytest.mark.parametrize("deployment", [*DEPLOYMENTS, "local"])
def test_a_stack_is_deployed_after_those_that_it_refers_to(deployment, deployments, local):
    synthesized = local if deployment == "local" else deployments(deployment)
    for artifact in synthesized.app.synth().stacks:
        before = {one.id for one in artifact.dependencies}
        used = {stack for _, stack, _ in references(artifact.template)}
        assert used <= before


@pytest.mark.slow
def test_the_exports_stay_what_they_are(after):
    """Another version of the stacks may add exports; it can only remove one that nothing imports."""
    names = {
        one["Export"]["Name"]
        for template in after("encryption_key").templates.values()
        for one in template.outputs.values()
        if "Export" in one
    }
    assert {one.removeprefix("agent-memory-") for one in names} == {
        "api:ExportsOutputRefApiF70053CD5653BA4D",
        "api:ExportsOutputRefHttpApiF5A9A8A7F70B5BDD",
        "cache:ExportsOutputFnGetAttFunctions1094A112GroupIdD6A6ECE1",
        "cache:ExportsOutputRefVpcisolatedSubnet1SubnetE62B1B9BEE029908",
        "cache:ExportsOutputRefVpcisolatedSubnet2Subnet392170557C27A199",
        "nightly:ExportsOutputFnGetAttMissedStartsDE601CEDQueueNameCC47C8C6",
        "nightly:ExportsOutputRefAgents8DC464362D42D1C3",
        "nightly:ExportsOutputRefAnalytics0CFCBF3BCF54E2FD",
        "nightly:ExportsOutputRefArchival705114F0A7E000A3",
        "nightly:ExportsOutputRefConsolidation9722E4E57D120C9A",
        "nightly:ExportsOutputRefMachine6FC8AE80EDDA7ED9",
        "nightly:ExportsOutputRefPruning82105BD0E8EA8DFB",
        "storage:ArchiveBucketArn",
        "storage:ArchiveBucketName",
        "storage:ExportsOutputFnGetAttDecisions28C7D866ArnD24F5F0C",
        "storage:ExportsOutputFnGetAttKey961B73FDArn5A860C43",
        "storage:ExportsOutputFnGetAttMemoriesE52D0152Arn7124B0A6",
        "storage:ExportsOutputFnGetAttStatesC1BB3AF7ArnD59C3052",
        "storage:ExportsOutputRefDecisions28C7D866109DD44F",
        "storage:ExportsOutputRefMemoriesE52D01527AADD296",
        "storage:ExportsOutputRefStatesC1BB3AF7715D2B02",
    }


@pytest.mark.slow
def test_what_a_setting_turns_off_is_said_at_synthesis(before, after):
    said = {
        setting: [
            message.entry.data
            for message in after(setting).app.synth().get_stack_by_name("agent-memory-operations").messages
        ]
        for setting in ("cache", "audit_trail")
    }
    removal = "aws cloudformation delete-stack --stack-name agent-memory"
    assert [one.rpartition(f"{removal}-")[2] for one in said["cache"]] == ["cache", "audit", "gateway"]
    assert [one.rpartition(f"{removal}-")[2] for one in said["audit_trail"]] == ["gateway"]
