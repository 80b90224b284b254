"""The local profile leaves out what the local cloud does not support, and nothing else."""

from local.capabilities import SERVICES
from stacks.function_contents import CONTENTS
from tests.local.aws_templates import MISSING_TYPES
from tests.stacks.conftest import synthesize

REFUSED = MISSING_TYPES | {"AWS::ElastiCache::ServerlessCache", "AWS::WAFv2::WebACLAssociation"}


def kinds(synthesized):
    return {resource["Type"] for template in synthesized.templates.values() for resource in template.resources.values()}


def test_nothing_that_the_local_cloud_refuses_is_deployed(local):
    assert not kinds(local) & REFUSED
    assert not {kind for kind in kinds(local) if kind.startswith("Custom::")}


def test_nothing_else_is_left_out(aws, local):
    policies_that_require_tls = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}
    set_in_aws_only = {"AWS::SNS::Subscription"}
    assert kinds(aws) - kinds(local) - REFUSED == policies_that_require_tls | set_in_aws_only


def test_the_function_finds_the_cache_on_the_machine(local):
    function = local["api"].function("agent-memory-api")
    variables = function["Environment"]["Variables"]
    assert variables["AGENT_MEMORY_REDIS_ENDPOINT"] == "127.0.0.1:6390"
    assert variables["AGENT_MEMORY_REDIS_TLS"] == "false"
    assert variables["AGENT_MEMORY_REDIS_USER"] == ""
    assert "VpcConfig" not in function


def test_no_bootstrap_roles_are_assumed(local):
    manifest = (local.folder / "manifest.json").read_text()
    assert "assumeRoleArn" not in manifest


def test_synthesis_needs_no_look_up(aws, local):
    assert '"missing"' not in (aws.folder / "manifest.json").read_text()
    assert '"missing"' not in (local.folder / "manifest.json").read_text()


def test_tls_is_required_in_aws_only(aws, local):
    def refusing(synthesized):
        return [
            statement
            for name in ("storage", "nightly", "operations")
            for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
            for policy in synthesized[name].properties(kind)
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
        ]

    assert refusing(local) == []
    assert len(refusing(aws)) == 4  # bucket (TLS, and TLS 1.2), queue, topic


def test_batch_requests_have_a_permission_of_their_own_locally_only(aws, local):
    batch = ("dynamodb:BatchExecuteStatement", "*")
    for stack, name in (("api", "api"), ("nightly", "archival")):
        assert batch in local[stack].permissions(f"agent-memory-{name}")
        assert batch not in aws[stack].permissions(f"agent-memory-{name}")
    assert batch not in local["nightly"].permissions("agent-memory-consolidation")


def test_limits_that_the_local_cloud_ignores_are_left_out(tmp_path):
    capped = {"api_concurrency": "5", "nightly_concurrency": "5", "table_max_write_units": "100"}
    stage = synthesize(tmp_path, profile="local", redis_endpoint="127.0.0.1:6390", environment="dev", **capped)
    text = str([template.body for template in stage.templates.values()])
    assert "OnDemandThroughput" not in text
    assert "ReservedConcurrentExecutions" not in text
    assert "cache" not in stage.templates


def test_every_service_of_the_stacks_is_asked_for_in_an_emulator(local):
    services = {kind.split("::")[1] for kind in kinds(local)} - {"CDK"}
    assert services <= SERVICES.keys()


def test_an_emulator_without_the_packages_gets_the_layers_of_wheels(local, tmp_path):
    context = {"profile": "local", "redis_endpoint": "127.0.0.1:6390", "emulator_python": "3.12"}
    bare = synthesize(tmp_path, **context)
    function = bare["api"].function("agent-memory-api")
    assert function["Runtime"] == "python3.12"
    assert len(function["Layers"]) == 1 + len(CONTENTS["api"].wheels)
    assert len(local["api"].function("agent-memory-api")["Layers"]) == 1
