"""The permissions of each function's role: calls with its own credentials, in a cloud that evaluates policies."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from agent_memory import AgentMemoryClient, Forbidden, MemoryManager, Unavailable
from agent_memory.admin.agent_policy import agent_policy
from agent_memory.core.clock import FixedClock
from local.stores import stores_of
from tests.local.role_calls import KEY, all_calls
from tests.stacks.permission_table import FUNCTIONS, PERMISSIONS, PREFIXES, TABLES

pytestmark = pytest.mark.local_cloud

DEPLOYED = tuple(name for name in FUNCTIONS if name != "gateway")
"""The local cloud has no gateways."""
ROLES = (*DEPLOYED, "state machine", "scheduler")
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403"}
TRUSTED = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}
EVENT = {"agent_id": "nobody", "date": "2026-11-01"}


def role_names(cloud):
    """The role of each function, of the state machine and of the schedule."""
    session = cloud.boto_session()
    functions, machine = session.client("lambda"), session.client("stepfunctions")
    arns = {
        name: functions.get_function_configuration(FunctionName=f"agent-memory-{name}")["Role"] for name in DEPLOYED
    }
    arns["state machine"] = machine.describe_state_machine(stateMachineArn=cloud.outputs["NightlyStateMachineArn"])[
        "roleArn"
    ]
    arns["scheduler"] = session.client("scheduler").get_schedule(Name="agent-memory-nightly")["Target"]["RoleArn"]
    return {name: arn.rpartition("/")[2] for name, arn in arns.items()}


@pytest.fixture(scope="module")
def client_as(local_cloud):
    """Creates a client of a service that signs as a role; the roles trust this account while the tests run."""
    session = local_cloud.boto_session()
    iam, sts = session.client("iam"), session.client("sts")
    trust, keys = {}, {}
    for name, role in role_names(local_cloud).items():
        trust[role] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        wider = {**trust[role], "Statement": [*trust[role]["Statement"], TRUSTED]}
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(wider))
        arn = f"arn:aws:iam::000000000000:role/{role}"
        keys[name] = sts.assume_role(RoleArn=arn, RoleSessionName="permissions")["Credentials"]

    models = boto3.Session(region_name="us-east-1")  # one for all, which reads a service's description once
    settings = Config(proxies={}, retries={"total_max_attempts": 1})

    def client(role, service):
        held = keys[role]
        return models.client(
            service,
            endpoint_url=local_cloud.endpoint_url,
            config=settings,
            aws_access_key_id=held["AccessKeyId"],
            aws_secret_access_key=held["SecretAccessKey"],
            aws_session_token=held["SessionToken"],
        )

    yield client
    for role, document in trust.items():
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


def refusal(client, call):
    """The error code if a call is refused because of a missing permission; None if it is allowed."""
    try:
        getattr(client, call.method)(**call.arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return code if code in DENIED else None
    return None


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_allowed_what_the_table_says_and_denied_the_rest(local_cloud, client_as, role):
    session = local_cloud.boto_session()
    for prefix in PREFIXES:
        key = {"Bucket": local_cloud.outputs["ArchiveBucketName"], "Key": f"{prefix}/permissions"}
        session.client("s3").put_object(**key, Body=b"{}")
    clients, wrong, denied = {}, [], 0
    for call in all_calls(local_cloud.outputs):
        client = clients.setdefault(call.service, client_as(role, call.service))
        is_allowed = call.action in PERMISSIONS[role].get(call.what, ())
        code = refusal(client, call)
        denied += code is not None
        if (code is None) is not is_allowed:
            wrong.append(f"{role}: {call.action} on {call.what} was {code or 'allowed'}")
    assert wrong == []
    assert denied >= 50


def test_the_deployment_is_intact_after_all_these_calls(local_cloud):
    session = local_cloud.boto_session()
    for full_name in TABLES.values():
        session.client("dynamodb").describe_table(TableName=f"agent-memory-{full_name}")
    answer = httpx.get(f"{local_cloud.api_url}/v1/agents/nobody/decisions", trust_env=False)
    assert answer.status_code == 403


# --- a permission that is missing -----------------------------------------------------------------------


@pytest.fixture
def without(local_cloud):
    """Denies a function's role an action during a test."""
    iam, roles = local_cloud.boto_session().client("iam"), role_names(local_cloud)
    denied: list[str] = []

    def deny(function, action):
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=roles[function], PolicyName="denied-by-a-test", PolicyDocument=document)
        denied.append(roles[function])

    yield deny
    for role in denied:
        iam.delete_role_policy(RoleName=role, PolicyName="denied-by-a-test")


def run(cloud, function, event):
    """A function's result, and its error if it has one."""
    response = (
        cloud.boto_session()
        .client("lambda")
        .invoke(FunctionName=f"agent-memory-{function}", Payload=json.dumps(event).encode())
    )
    return json.loads(response["Payload"].read()), response.get("FunctionError")


@pytest.mark.parametrize(
    ("function", "action", "event"),
    [
        ("agents", "dynamodb:Scan", {"date": EVENT["date"], "run": "by-hand"}),
        ("consolidation", "dynamodb:Query", EVENT),
        ("pruning", "dynamodb:Query", EVENT),
        ("archival", "dynamodb:Query", EVENT),
        ("analytics", "s3:PutObject", EVENT),
    ],
)
def test_a_nightly_function_without_a_permission_fails(local_cloud, without, function, action, event):
    result, error = run(local_cloud, function, event)
    assert error is None, result
    without(function, action)
    result, error = run(local_cloud, function, event)
    assert error is not None
    assert "not authorized" in json.dumps(result) or "denied" in json.dumps(result).lower()


async def test_the_api_without_a_permission_reports_it_and_returns_nothing(local_cloud, without):
    async with AgentMemoryClient(local_cloud.api_url, "nobody", session=local_cloud.boto_session()) as client:
        assert await client.retrieve_ltm("PATTERN") == []
        without("api", "dynamodb:Query")
        with pytest.raises(Unavailable, match="AccessDeniedException"):
            await client.retrieve_ltm("PATTERN")


# --- an agent's role ------------------------------------------------------------------------------------


@pytest.fixture
def agent_session(local_cloud):
    """A session of a new role that has an agent's policy and nothing else."""
    session = local_cloud.boto_session()
    iam = session.client("iam")
    name, api = "agent-hunter", f"arn:aws:execute-api:us-east-1:000000000000:{local_cloud.outputs['ApiId']}"
    trust = json.dumps({"Version": "2012-10-17", "Statement": [TRUSTED]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="paths", PolicyDocument=json.dumps(agent_policy(api, "hunter")))
    held = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="hunter")["Credentials"]
    yield boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"], "us-east-1")
    iam.delete_role_policy(RoleName=name, PolicyName="paths")
    iam.delete_role(RoleName=name)


async def test_an_agents_role_reaches_its_own_paths_and_nothing_else(local_cloud, agent_session):
    async with AgentMemoryClient(local_cloud.api_url, "hunter", session=agent_session) as own:
        decision_id = await own.log_decision("QUERY", {"market": {"trend": "up"}}, {})
        assert (await own.get_decision(decision_id))["decision_id"] == decision_id
        stored = await own.store_ltm("PATTERN", "pump", {"confidence": 0.5})
        assert stored["changed_as"].endswith(":assumed-role/agent-hunter/hunter")
    for neighbour in ("gatherer", "hunter-2", "hunte"):
        async with AgentMemoryClient(local_cloud.api_url, neighbour, session=agent_session) as other:
            for call in (other.query_decisions(), other.log_decision("QUERY", {}, {}), other.retrieve_ltm("PATTERN")):
                with pytest.raises(Forbidden):
                    await call
    tables = agent_session.client("dynamodb", endpoint_url=local_cloud.endpoint_url, config=Config(proxies={}))
    with pytest.raises(ClientError, match="AccessDenied"):
        tables.get_item(TableName="agent-memory-agent_decisions", Key=KEY)


async def test_pruning_removes_and_counts_with_its_permissions(local_cloud):
    async with AgentMemoryClient(local_cloud.api_url, "forgetful", session=local_cloud.boto_session()) as client:
        old = {"confidence": 0.9, "status": "deprecated", "status_since": "2020-01-01T00:00:00Z"}
        await client.store_ltm("PATTERN", "gone", old)
        await client.store_ltm("PATTERN", "stays", {"confidence": 0.9, "status": "active"})
        assert len(await client.retrieve_ltm("PATTERN")) == 2  # which is counted as a read
        result, error = run(local_cloud, "pruning", {"agent_id": "forgetful", "date": "2026-11-20"})
        assert (error, result["memories"], result["pruned"]) == (None, 2, 1)
        assert [one["pattern_id"] for one in await client.retrieve_ltm("PATTERN")] == ["stays"]
        # Reads are counted by the day, and a job is for a day that has ended.
        yesterday = datetime.now(UTC) - timedelta(days=1)
        clock = FixedClock(int(yesterday.timestamp() * 1000))
        memory = MemoryManager("forgetful", stores=stores_of(local_cloud), clock=clock).sync
        assert len(memory.retrieve_ltm("PATTERN")) == 1
        event = {"agent_id": "forgetful", "date": yesterday.date().isoformat()}
        result, error = run(local_cloud, "pruning", event)
        assert (error, result["accesses"]) == (None, {"memories": 1, "missing": None})
