"""The example of an agent on Lambda that uses the stores directly, deployed with the stacks and invoked."""

import json

import pytest

from agent_memory import DecisionLogger
from local import LocalCloud
from local.layout import ROOT, Layout
from local.stores import stores_of
from tests.local.function_log import counted

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

APP = ROOT / "examples" / "direct_agent" / "app.py"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    layout = Layout(state=tmp_path_factory.mktemp("cloud") / "state")
    with LocalCloud(layout, app=APP, cache_tls=True) as started:
        yield started


def run_cycle(cloud, trend):
    payload = json.dumps({"market": {"trend": trend}}).encode()
    response = cloud.boto_session().client("lambda").invoke(FunctionName="agent-memory-scout", Payload=payload)
    result = json.loads(response["Payload"].read())
    assert "FunctionError" not in response, result
    return result


async def test_the_agent_decides_remembers_and_is_counted(cloud):
    first, second, third = (run_cycle(cloud, trend) for trend in ("bullish", "bullish", "bearish"))
    assert [one["signal"] for one in (first, second, third)] == ["hold", "hold", "reduce"]
    assert all(one["remembered"] for one in (first, second, third))
    newest, *_ = await DecisionLogger("scout", stores=stores_of(cloud)).query_decisions()
    assert newest["decision_id"] == third["decision_id"]
    assert newest["reasoning"] == {"signal": "reduce", "trend_before": "bullish"}
    assert counted(cloud, 3) == 3
