"""Every role, action and resource of a deployment: what the table of permissions does not allow is denied."""

import pytest

from agent_memory.core.ids import alias_of
from stacks import PROJECT
from tests.stacks.dangerous_actions import DANGEROUS
from tests.stacks.iam import ACCOUNT, REGION, Account, Statement, arn, is_allowed, matches
from tests.stacks.permission_table import (
    ENI_ACTIONS,
    FUNCTIONS,
    IN_THE_VPC,
    INDEXES,
    KEY_USE,
    KEY_WRITES,
    PERMISSIONS,
    PREFIXES,
    TABLES,
    with_table,
)
from tests.stacks.templates import text_of

ENI_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"


ACTIONS = sorted(
    {
        *DANGEROUS,
        *ENI_ACTIONS,
        *KEY_WRITES,
        *(action for held in PERMISSIONS.values() for actions in held.values() for action in actions),
    }
)

BUCKET = "arn:aws:s3:::storage-archive"
RESOURCES = {
    **{f"table {name}": arn("dynamodb", f"table/agent-memory-{full}") for name, full in TABLES.items()},
    **{
        f"index {index}": arn("dynamodb", f"table/agent-memory-{TABLES[table]}/index/{index}")
        for index, table in INDEXES.items()
    },
    "another stage's table": arn("dynamodb", "table/lab-agent_decisions"),
    "a table of a name that begins alike": arn("dynamodb", "table/agent-memory-agent_decisions2"),
    "stream of decisions": arn("dynamodb", "table/agent-memory-agent_decisions/stream/2026-11-24"),
    "a stream of another table": arn("dynamodb", "table/agent-memory-agent_state/stream/2026-11-24"),
    "another index": arn("dynamodb", "table/agent-memory-agent_decisions/index/by_other"),
    "bucket": BUCKET,
    **{f"objects {prefix}/": f"{BUCKET}/{prefix}/agent_id=hunter/one" for prefix in PREFIXES},
    "objects reports/crowding/": f"{BUCKET}/reports/crowding/date=2026-11-20/crowding.json",
    "an object of no prefix": f"{BUCKET}/one",
    "an object of a prefix that begins alike": f"{BUCKET}/decisions-copy/one",
    "another bucket": f"{BUCKET}-2",
    "an object of another bucket": f"{BUCKET}-2/decisions/one",
    **{f"function {name}": arn("lambda", f"function:agent-memory-{name}") for name in FUNCTIONS},
    "alias of the agent": arn("lambda", f"function:agent-memory-gateway:{alias_of('market-hunter')}"),
    "alias of another agent": arn("lambda", f"function:agent-memory-gateway:{alias_of('scout.eu')}"),
    "another stage's function": arn("lambda", "function:lab-api"),
    "state machine": arn("states", "stateMachine:agent-memory-nightly"),
    "an execution": arn("states", "execution:agent-memory-nightly:one"),
    "another stage's execution": arn("states", "execution:lab-nightly:one"),
    "an agent's execution": arn("states", "execution:agent-memory-nightly/EachAgent:one"),
    "another state machine": arn("states", "stateMachine:lab-nightly"),
    "queue of missed starts": arn("sqs", "agent-memory-nightly-missed-starts"),
    "topic of alarms": arn("sns", "agent-memory-alarms"),
    "cache": arn("elasticache", "replicationgroup:cache-cache"),
    "the cache's user": arn("elasticache", "user:agent-memory-api"),
    "another user of caches": arn("elasticache", "user:default"),
    "another cache": arn("elasticache", "replicationgroup:other"),
    "key": arn("kms", "key/own"),
    "another key": arn("kms", "key/other"),
    **{
        f"logs {name}": arn("logs", f"log-group:/aws/lambda/agent-memory-{name}:log-stream:2026/11/24/1")
        for name in FUNCTIONS
    },
    "logs flow logs": arn("logs", "log-group:/vpc/agent-memory-rejected:log-stream:eni"),
    "access logs": arn("logs", "log-group:/aws/vendedlogs/api/agent-memory-access:log-stream:1"),
    "a role": "arn:aws:iam::123456789012:role/admin",
    "a trail": arn("cloudtrail", "trail/agent-memory-audit"),
    "a network interface": arn("ec2", "network-interface/eni-1"),
    "an agent's path": arn("execute-api", "abc/$default/GET/v1/agents/hunter/memory/ltm/PATTERN"),
    "everything": "*",
}
# Names in the table that are several resources.
GROUPS = {"cache": ("cache", "the cache's user")}
DEPLOYED = ("prod", "own key", "prod without a cache", "dev with a cache", "all guards")

ROLES = {
    **{f"{name.capitalize()}Role": name for name in FUNCTIONS},
    **dict.fromkeys(("agentmarkethunterRole", "agentscoutDOTeuRole"), "agent's gateway"),
    "MachineRole": "state machine",
    "SchedulerRoleForTarget": "scheduler",
    "VpcRejectedIAMRole": "flow logs",
    "VpcAllIAMRole": "flow logs",
}
MAY_BE_MISSING = {"flow logs", "gateway", "agent's gateway"}


def role_name(logical_id):
    (name,) = {name for beginning, name in ROLES.items() if logical_id.startswith(beginning)}
    return name


def held_roles(synthesized):
    """Statements of every role of a deployment by the role's name in the table."""
    account = Account(synthesized.templates)
    held = {}
    for stack, role in account.roles():
        statements = account.statements(stack, role)
        for managed in account.managed(stack, role):
            assert managed == ENI_POLICY
            statements.append(Statement("Allow", ENI_ACTIONS, ("*",)))
        held.setdefault(role_name(role), statements)  # of several gateways the first agent's
    return held


def expected(role, action, resource, config):
    """Whether the table lets a role perform an action on a resource, its name in `RESOURCES`."""
    has_cache = config.cache
    if has_cache and role in IN_THE_VPC and action in ENI_ACTIONS:
        return True
    for what, actions in PERMISSIONS[role].items():
        if what == "cache" and not has_cache:
            continue
        # An action without resources is evaluated on "everything" only.
        if action in actions and (what == "everything" or resource in GROUPS.get(what, (what,))):
            return not (what == "logs flow logs" and config.flow_logs == "all")
    return False


@pytest.mark.slow
@pytest.mark.parametrize("deployment", DEPLOYED)
def test_what_the_table_does_not_allow_is_denied(deployments, deployment):
    synthesized = deployments(deployment)
    config = synthesized.stacks.storage.config
    held = held_roles(synthesized)
    assert set(PERMISSIONS) - set(held) <= MAY_BE_MISSING
    evaluated, wrong = 0, []
    for role, statements in held.items():
        for action in ACTIONS:
            for name, resource in RESOURCES.items():
                evaluated += 1
                allowed = is_allowed(statements, action, resource)
                if allowed is not expected(role, action, name, config):
                    wrong.append(f"{role} {'may' if allowed else 'may not'} {action} on {name}")
    assert wrong == []
    assert evaluated == len(held) * len(ACTIONS) * len(RESOURCES) > 40_000


@pytest.mark.parametrize("service", ["dynamodb", "s3", "sqs", None])
def test_the_own_key_is_used_through_a_service_only(deployments, service):
    context = {"kms__ViaService": f"{service}.{REGION}.amazonaws.com"} if service else {}
    for role, statements in held_roles(deployments("own key")).items():
        expected_actions = KEY_USE.get(role, {}).get(service or "", ())
        actions = [action for action in ACTIONS if action.startswith("kms:")]
        assert {one for one in actions if is_allowed(statements, one, RESOURCES["key"], **context)} == set(
            expected_actions
        )
        assert not any(is_allowed(statements, one, RESOURCES["another key"], **context) for one in actions)


@pytest.mark.parametrize("deployment", DEPLOYED)
def test_no_statement_is_outside_the_matrix(deployments, deployment):
    """Each action and resource that a policy names is part of the matrix."""
    for role, statements in held_roles(deployments(deployment)).items():
        for one in statements:
            assert one.effect == "Allow"
            assert set(one.actions) <= set(ACTIONS), role
            assert not any(sign in action for action in one.actions for sign in "*?"), role
            others = [x for x in one.resources if not any(matches(x, resource) for resource in RESOURCES.values())]
            versions = [f"{RESOURCES[f'function {name}']}:*" for name in FUNCTIONS]
            all_flow_logs = [] if role != "flow logs" else [arn("logs", "log-group:/vpc/agent-memory-all:*")]
            assert set(others) <= {*versions, *all_flow_logs}, role


def test_every_role_has_the_permissions_of_the_table(deployments):
    held = held_roles(deployments("all guards")) | held_roles(deployments("prod"))
    for role, permissions in PERMISSIONS.items():
        for what, actions in permissions.items():
            for action in actions:
                for name in GROUPS.get(what, (what,)):
                    assert is_allowed(held[role], action, RESOURCES[name]), f"{role} may not {action} on {name}"


def test_a_widened_policy_would_be_found(deployments):
    statements = held_roles(deployments("prod"))["analytics"]
    request = ("dynamodb:PutItem", RESOURCES["table memories"])
    assert not is_allowed(statements, *request)
    for wider in (("dynamodb:*", "*"), ("DynamoDB:putitem", "arn:aws:dynamodb:*"), ("dynamodb:P?tItem", request[1])):
        widened = [*statements, Statement("Allow", (wider[0],), (wider[1],))]
        assert is_allowed(widened, *request)
        assert not is_allowed([*widened, Statement("Deny", ("*",), ("*",))], *request)


def test_roles_are_assumed_by_their_service_only(deployments):
    services = {
        "state machine": "states.amazonaws.com",
        "scheduler": "scheduler.amazonaws.com",
        "flow logs": "vpc-flow-logs.amazonaws.com",
    }
    synthesized = deployments("prod")
    for template in synthesized.templates.values():
        for name, role in template.of_type("AWS::IAM::Role").items():
            (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            service = services.get(role_name(name), "lambda.amazonaws.com")
            assert (statement["Action"], statement["Principal"]) == ("sts:AssumeRole", {"Service": service})


def test_only_api_gateway_may_invoke_the_function_from_outside(deployments):
    template = deployments("prod")["api"]
    for permission in template.properties("AWS::Lambda::Permission"):
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["Action"] == "lambda:InvokeFunction"
        assert "SourceArn" in permission
    kinds = {one["Type"] for stack in deployments("prod").templates.values() for one in stack.resources.values()}
    assert not kinds & {f"AWS::{one}" for one in ("Lambda::Url", "DynamoDB::ResourcePolicy", "IAM::User")}
    assert "AWS::IAM::ManagedPolicy" not in kinds


@pytest.mark.parametrize("deployment", DEPLOYED)
def test_alarms_reach_their_topic(deployments, deployment):
    """The topic's policy replaces the default one: without this statement no alarm would be delivered."""
    template = deployments(deployment)["operations"]
    principals = {
        one["Principal"]["Service"]: one.get("Condition")
        for one in template.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow"
    }
    (source,) = principals.pop("cloudwatch.amazonaws.com")["ArnLike"].values()
    own = text_of(source).replace("<AWS::Partition>", "aws").replace("<AWS::Region>", REGION)
    own = own.replace("<AWS::AccountId>", ACCOUNT)
    names = [
        one["Properties"].get("AlarmName")
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        for one in template.of_type(kind).values()
    ]
    assert len(names) > 15
    assert all(matches(own, arn("cloudwatch", f"alarm:{name}")) for name in names)
    assert not matches(own, arn("cloudwatch", "alarm:lab-api-errors-critical"))
    assert set(principals) <= {"budgets.amazonaws.com"}


def test_the_documented_table_is_this_one():
    page = (PROJECT / "docs" / "security.md").read_text()
    assert page == with_table(page), "run `make settings`"
