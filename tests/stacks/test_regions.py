"""Every region that cfn-lint knows: what the stacks use exists there, or a setting is refused by name."""

import json
import re
from importlib import resources

import pytest
from cfnlint.helpers import REGIONS
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from agent_memory.storage.schema import CACHE
from stacks.config import ConfigError, DeployConfig
from stacks.regions import BUDGET, GATEWAY, GATEWAY_TARGET, MISSING, is_missing, lacks_node_type
from tests.stacks.conftest import DEPLOYMENTS, build, synthesize


@pytest.fixture(scope="module")
def used(deployments):
    """Every type of resource that a deployment may have."""
    return {
        resource["Type"]
        for name in DEPLOYMENTS
        for template in deployments(name).templates.values()
        for resource in template.resources.values()
    }


@pytest.mark.parametrize("region", REGIONS)
def test_the_table_is_that_of_cloudformations_schemas(used, region):
    there = PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
    assert {kind for kind in used if kind not in there} == {kind for kind in used if is_missing(kind, region)}


def test_the_table_names_only_what_is_used_and_regions_that_exist(used):
    assert set(MISSING) <= used
    assert len(REGIONS) > 40
    assert all(regions and regions <= set(REGIONS) for regions in MISSING.values())


def test_the_table_of_cache_nodes_is_that_of_the_price_lists():
    folder = resources.files("cfnlint") / "data/schemas/extensions/aws_elasticache_cachecluster"
    lists = json.loads((folder / "cachenodetype_enum.json").read_text())
    offered = {region: set(one["enum"]) for region, one in lists.items() if region in REGIONS}
    known = set().union(*offered.values())
    assert len(offered) > 30
    assert CACHE.node_type in known
    for region in REGIONS:
        missing = known - offered[region] if region in offered else set()
        assert {one for one in known if lacks_node_type(region, one)} == missing
    assert not lacks_node_type("me-south-1", "cache.z9.large"), "AWS adds types"


@pytest.mark.slow
def test_a_type_of_cache_nodes_that_a_region_lacks_is_warned_of(tmp_path):
    def warnings(**context):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        app, _ = build(folder, **context)
        app.synth()
        report = folder / "validation-report.json"
        return re.findall(r'"(cache_node_type: [^"]*)"', report.read_text()) if report.exists() else []

    (said,) = warnings(region="me-south-1")
    assert "cache_node_type: cache.t4g.micro is not in the price list of ElastiCache in me-south-1" in said
    assert "Choose a type that is, cache.t3.micro or cache.m7g.large or cache.m6g.large, or set cache=off" in said
    assert warnings(default_region="me-south-1") == [said]
    assert warnings(region="me-south-1", cache_node_type="cache.t3.micro") == []
    assert warnings(region="eu-central-1", default_region="me-south-1") == []
    assert warnings(region="me-south-1", cache="off") == []


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("given", ["setting", "credentials"])
def test_a_budget_is_refused_by_name_where_there_are_none(region, given):
    settings = {"monthly_budget_usd": "25"}
    region_of = {"default_region": region} if given == "credentials" else {}
    if given == "setting":
        settings["region"] = region
    if is_missing(BUDGET, region):
        with pytest.raises(ConfigError, match=f"context key monthly_budget_usd: .* no budgets in {region}; leave"):
            DeployConfig.from_context(settings, **region_of)
        del settings["monthly_budget_usd"]
    config = DeployConfig.from_context(settings, **region_of)
    assert config.region == settings.get("region"), "a region of the credentials is no setting"


@pytest.mark.parametrize("region", REGIONS)
def test_gateways_are_refused_by_name_where_there_are_none(region):
    settings = {"gateway_agents": "hunter", "region": region}
    if is_missing(GATEWAY, region) or is_missing(GATEWAY_TARGET, region):
        with pytest.raises(ConfigError, match=f"context key gateway_agents: .* no gateways .* in {region}; leave"):
            DeployConfig.from_context(settings)
    else:
        assert DeployConfig.from_context(settings).gateway_agents == "hunter"


def test_a_region_that_is_set_counts_and_not_that_of_the_credentials():
    settings = {"monthly_budget_usd": "25", "region": "eu-central-1"}
    assert DeployConfig.from_context(settings, default_region="eu-north-1").region == "eu-central-1"


def test_the_local_cloud_is_in_no_region():
    local = {"profile": "local", "redis_endpoint": "127.0.0.1:6379", "monthly_budget_usd": "25"}
    assert DeployConfig.from_context(local, default_region="eu-north-1").monthly_budget_usd == 25


PARTITIONS = {
    "eu-central-1": ("aws", "amazonaws.com"),
    "cn-north-1": ("aws-cn", "amazonaws.com.cn"),
    "us-gov-west-1": ("aws-us-gov", "amazonaws.com"),
    "eusc-de-east-1": ("aws-eusc", "amazonaws.eu"),
}


@pytest.fixture(scope="module", params=[*PARTITIONS, None])
def partition(request, tmp_path_factory):
    """A deployment with every setting that its region has: the region, and its templates. None is any region."""
    where = {} if request.param is None else {"account": "123456789012", "region": request.param}
    guards = {key: value for key, value in DEPLOYMENTS["all guards"].items() if key not in ("account", "region")}
    if request.param is None or is_missing(BUDGET, request.param):
        guards.pop("monthly_budget_usd")
    if request.param is not None and is_missing(GATEWAY, request.param):
        guards.pop("gateway_agents")
    context = {**guards, **where, "encryption_key": "own"}
    return request.param, synthesize(tmp_path_factory.mktemp("partition"), **context).templates


def texts(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


def test_no_arn_names_another_partition(partition):
    region, templates = partition
    allowed = {f"arn:{PARTITIONS[region][0]}:"} if region in PARTITIONS else set()
    for name, template in templates.items():
        for text in texts(template.body):
            arns = {f"arn:{part.split(':')[0]}:" for part in text.split("arn:")[1:]}
            assert arns - {"arn:${AWS::Partition}:", "arn::"} <= allowed, (name, text)


def test_addresses_of_services_end_as_the_partitions_do(partition):
    """Names of principals end with amazonaws.com in every partition, but the services through which keys are used."""
    _, templates = partition
    found = 0
    for template in templates.values():
        for policy in template.properties("AWS::IAM::Policy"):
            for statement in policy["PolicyDocument"]["Statement"]:
                via = statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService")
                if via is None:
                    continue
                found += 1
                assert "AWS::URLSuffix" in str(via)
                assert "amazonaws" not in str(via)
    assert found >= 7
