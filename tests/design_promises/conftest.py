"""One local cloud for all promises, agents on it with and without a history, and the templates for AWS."""

import os
from uuid import uuid4

import boto3
import pytest

from agent_memory import AgentMemoryClient, DecisionLogger, MemoryManager
from agent_memory.storage.redis.connection import redis_client_for
from local.stores import stores_of
from tests.design_promises.archived_agent import archive_agent
from tests.design_promises.planted_history import plant_history
from tests.design_promises.running_hunter import run_hunter
from tests.stacks.conftest import synthesize

DEPLOYED = {
    "alarm_email": "ops@example.com",
    "audit_trail": "writes",
    "dashboard": "true",
    "monthly_budget_usd": "25",
    "summary_alarm": "true",
}


@pytest.fixture(autouse=True)
def environment(request, monkeypatch):
    """The environment of an agent in the local cloud, for the tests that use it."""
    if "local_cloud" in request.fixturenames:
        for name, value in request.getfixturevalue("local_cloud").environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it may have the credentials of another cloud


@pytest.fixture
def agent_id():
    """An agent of the test's own."""
    return f"promise-{uuid4().hex[:12]}"


@pytest.fixture
def memory_manager(local_cloud, environment, agent_id):
    return MemoryManager(agent_id=agent_id, redis_endpoint=os.environ["REDIS_ENDPOINT"])


@pytest.fixture
def decision_logger(agent_id, memory_manager):
    return DecisionLogger(agent_id=agent_id, memory_manager=memory_manager)


@pytest.fixture
async def client(local_cloud, agent_id):
    """The HTTP client of the test's own agent."""
    async with AgentMemoryClient(local_cloud.api_url, agent_id, session=local_cloud.boto_session()) as opened:
        yield opened


@pytest.fixture(scope="session")
def stores(local_cloud):
    return stores_of(local_cloud)


@pytest.fixture(scope="session")
def dynamodb(local_cloud):
    return local_cloud.boto_session().client("dynamodb")


@pytest.fixture(scope="session")
def cache(local_cloud):
    """The cache itself, as redis-py sees it."""
    return redis_client_for(local_cloud.redis_endpoint)


@pytest.fixture(scope="session")
def planted(local_cloud, stores):
    """An agent whose whale movements were right more often in bullish markets, after its nightly job."""
    return plant_history(local_cloud, stores)


@pytest.fixture(scope="session")
def hunted(stores):
    """A market hunter that has just run a few cycles."""
    return run_hunter(stores)


@pytest.fixture(scope="session")
def aged(stores):
    """An agent with decisions of every age, whose old days are archived."""
    return archive_agent(stores)


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """The templates for AWS, with everything that the documentation says how to turn on."""
    return synthesize(tmp_path_factory.mktemp("templates"), **DEPLOYED)
