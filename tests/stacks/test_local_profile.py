"""What the local cloud cannot do is left out of the local profile; everything else is there."""

from tests.stacks.conftest import synthesize

REFUSED = {
    "AWS::Budgets::Budget",
    "AWS::CloudTrail::Trail",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::EC2::FlowLog",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::WAFv2::WebACLAssociation",
}


def kinds(synthesized):
    return {resource["Type"] for template in synthesized.templates.values() for resource in template.resources.values()}


def test_nothing_that_the_local_cloud_refuses(local):
    assert not kinds(local) & REFUSED
    assert not {kind for kind in kinds(local) if kind.startswith("Custom::")}


def test_nothing_else_is_left_out(aws, local):
    policies_that_insist_on_tls = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}
    given_in_aws_only = {"AWS::SNS::Subscription"}
    assert kinds(aws) - kinds(local) - REFUSED == policies_that_insist_on_tls | given_in_aws_only


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


def test_nothing_waits_for_a_look_up(aws, local):
    assert '"missing"' not in (aws.folder / "manifest.json").read_text()
    assert '"missing"' not in (local.folder / "manifest.json").read_text()


def test_nothing_insists_on_tls_where_there_is_none(aws, local):
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


def test_the_name_of_a_batch_request_is_a_permission_locally_only(aws, local):
    batch = ("dynamodb:BatchExecuteStatement", "*")
    for stack, name in (("api", "api"), ("nightly", "archival")):
        assert batch in local[stack].permissions(f"agent-memory-{name}")
        assert batch not in aws[stack].permissions(f"agent-memory-{name}")
    assert batch not in local["nightly"].permissions("agent-memory-consolidation")


def test_what_the_local_cloud_drops_silently_is_not_asked_of_it(tmp_path):
    capped = {"api_concurrency": "5", "night_concurrency": "5", "table_max_write_units": "100"}
    stage = synthesize(tmp_path, profile="local", redis_endpoint="127.0.0.1:6390", environment="dev", **capped)
    text = str([template.body for template in stage.templates.values()])
    assert "OnDemandThroughput" not in text
    assert "ReservedConcurrentExecutions" not in text
    assert "cache" not in stage.templates
