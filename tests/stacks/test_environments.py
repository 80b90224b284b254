"""Stages: how dev and prod differ, several stages in one account, and the page of settings."""

import json

import pytest

from stacks import PROJECT
from stacks.config import ConfigError, DeployConfig
from stacks.environments import DEV
from stacks.settings_page import settings_page
from tests.stacks.conftest import synthesize
from tests.stacks.templates import text_of

# Properties that give a resource a name that is unique in its account and region.
PHYSICAL_NAMES = {
    "AlarmName",
    "AliasName",
    "BucketName",
    "BudgetName",
    "CacheSubnetGroupName",
    "ClusterName",
    "DashboardName",
    "FunctionName",
    "GroupName",
    "LayerName",
    "LogGroupName",
    "ManagedPolicyName",
    "QueueName",
    "ReplicationGroupId",
    "RoleName",
    "StateMachineName",
    "TableName",
    "TopicName",
    "TrailName",
    "UserGroupId",
    "UserId",
    "UserName",
}
NAMED_BY_NAME = {"AWS::ApiGatewayV2::Api", "AWS::Athena::WorkGroup", "AWS::Scheduler::Schedule"}


def config(**context):
    return DeployConfig.from_context(context)


def table(synthesized):
    return next(iter(synthesized["storage"].of_type("AWS::DynamoDB::Table").values()))


def test_dev_changes_defaults_and_explicit_settings_win():
    dev, explicit = config(environment="dev"), config(environment="dev", cache="on", log_retention_days="90")
    assert {name: getattr(dev, name) for name in DEV} == DEV
    assert (explicit.cache, explicit.log_retention_days, explicit.api_burst) == (True, 90, DEV["api_burst"])
    assert all(getattr(config(), name) != value for name, value in DEV.items())
    with pytest.raises(ConfigError, match="context key environment: 'test' is not valid"):
        config(environment="test")


def test_prod_retains_data_and_dev_does_not(deployments):
    prod, dev = deployments("prod"), deployments("dev")
    for synthesized, keeps in ((prod, True), (dev, False)):
        properties = table(synthesized)["Properties"]
        assert ("DeletionProtectionEnabled" in properties) is not keeps  # protected after the deployment
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is keeps
        policies = {
            one["DeletionPolicy"]
            for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
            for one in synthesized["storage"].of_type(kind).values()
        }
        assert policies == {"RetainExceptOnCreate" if keeps else "Delete"}


def test_limits_reach_the_tables_the_routes_and_the_functions(deployments):
    prod, dev, guarded = deployments("prod"), deployments("dev"), deployments("all guards")
    for synthesized, writes, reads in ((prod, 4_000, 12_000), (dev, 1_000, 3_000)):
        caps = {"MaxWriteRequestUnits": writes, "MaxReadRequestUnits": reads}
        properties = table(synthesized)["Properties"]
        indexes = [index["OnDemandThroughput"] for index in properties["GlobalSecondaryIndexes"]]
        assert [properties["OnDemandThroughput"], *indexes] == [caps] * 3
    stage = dev["api"].only("AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 20
    assert {one["ThrottlingRateLimit"] for one in stage["RouteSettings"].values()} == {5}
    functions = [
        function for name in ("api", "nightly") for function in guarded[name].properties("AWS::Lambda::Function")
    ]
    assert [one["ReservedConcurrentExecutions"] for one in functions] == [50, *[5] * 5]
    assert "ReservedConcurrentExecutions" not in prod["api"].only("AWS::Lambda::Function")


@pytest.mark.parametrize(("writes", "reads", "caps"), [("0", "0", (40_000, 40_000)), ("0", "7", (40_000, 7))])
def test_a_limit_of_0_is_the_highest_one_so_that_it_replaces_an_earlier_one(tmp_path, writes, reads, caps):
    """A template without a limit would leave the deployed one as it is."""
    storage = synthesize(tmp_path, table_max_write_units=writes, table_max_read_units=reads)["storage"]
    for properties in storage.properties("AWS::DynamoDB::Table"):
        for one in (properties, *properties.get("GlobalSecondaryIndexes", [])):
            limits = one["OnDemandThroughput"]
            assert (limits["MaxWriteRequestUnits"], limits["MaxReadRequestUnits"]) == caps


def test_without_a_cache_there_is_neither_vpc_nor_cache(deployments):
    for name in ("dev", "prod without a cache"):
        synthesized = deployments(name)
        assert "cache" not in synthesized.templates
        text = json.dumps([template.body for template in synthesized.templates.values()])
        for gone in (
            "AWS::EC2::",
            "AWS::ElastiCache::",
            "elasticache:Connect",
            "VpcConfig",
            "AGENT_MEMORY_REDIS",
            "ENI",
        ):
            assert gone not in text, gone


def test_every_stack_is_tagged_with_its_deployment(deployments):
    for artifact in deployments("dev").app.synth().stacks:
        assert artifact.tags == {"application": "agent-memory", "deployment": "agent-memory", "environment": "dev"}


def is_reference(value):
    return isinstance(value, dict) and not value.keys() & {"Fn::Join", "Fn::Sub"}


def physical_names(synthesized):
    """Names that are set in the templates, each with its resource type."""
    names = set()
    for template in synthesized.templates.values():
        for resource in template.resources.values():
            properties = resource.get("Properties", {})
            named = {key: value for key, value in properties.items() if key in PHYSICAL_NAMES}
            if resource["Type"] in NAMED_BY_NAME:
                named["Name"] = properties["Name"]
            if resource["Type"] == "AWS::Glue::Database":
                named["Name"] = properties["DatabaseInput"]["Name"].replace("_", "-")
            if resource["Type"] == "AWS::Budgets::Budget":
                named["BudgetName"] = properties["Budget"]["BudgetName"]
            if resource["Type"] == "AWS::CloudWatch::CompositeAlarm":
                named["AlarmName"] = properties["AlarmName"]
            names |= {(resource["Type"], text_of(value)) for value in named.values() if not is_reference(value)}
        names |= {("export", text_of(one["Export"]["Name"])) for one in template.outputs.values() if "Export" in one}
    return names


def test_two_stages_share_no_physical_name(tmp_path):
    everything = {"monthly_budget_usd": "25", "audit_trail": "all", "encryption_key": "own", "region": "eu-central-1"}
    one, other = (
        synthesize(tmp_path / prefix, prefix=prefix, account="123456789012", **everything) for prefix in ("desk", "lab")
    )
    names = {"desk": physical_names(one), "lab": physical_names(other)}
    assert len(names["desk"]) == len(names["lab"]) > 40
    assert names["desk"] & names["lab"] == set()
    for prefix, found in names.items():
        assert [name for _, name in found if prefix not in name.replace("/", "-").split("-")] == []
    assert {stack.stack_name.split("-")[0] for stack in one.app.synth().stacks} == {"desk"}
    # Metrics and costs are separate, too.
    assert one.stacks.api.config.metrics_namespace == "BTCAgent/Memory/desk"
    assert other.stacks.api.config.metrics_namespace == "BTCAgent/Memory/lab"
    assert config(prefix="desk", metrics_namespace="Ours").metrics_namespace == "Ours"


def test_the_page_of_settings_is_up_to_date():
    assert (PROJECT / "docs" / "settings.md").read_text() == settings_page(), "run `make settings`"
