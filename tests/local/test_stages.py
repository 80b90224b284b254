"""Two stages in one account, one of them for development and without a cache."""

import pytest

from agent_memory import AgentMemoryClient
from agent_memory.core.errors import ShortTermOff
from local import LocalCloud
from local.layout import Layout
from stacks.function_contents import CONTENTS

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


async def test_two_stages_share_an_account_and_one_has_no_cache(tmp_path):
    layout = Layout(state=tmp_path / "state")
    with LocalCloud(layout, context={"prefix": "desk"}) as cloud:
        desk = cloud.outputs["ApiId"]
        async with AgentMemoryClient(cloud.api_url, "hunter", session=cloud.boto_session()) as client:
            of_the_desk = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {})
            await client.store_stm("context:current", {"trend": "up"})

    with LocalCloud(layout, context={"prefix": "lab", "environment": "dev"}) as cloud:
        session = cloud.boto_session()
        assert cloud.outputs["TablePrefix"] == "lab"
        async with AgentMemoryClient(cloud.api_url, "hunter", session=session) as client:
            of_the_lab = await client.log_decision("QUERY", {"market": {"trend": "up"}}, {})
            with pytest.raises(ShortTermOff, match="cache=on"):
                await client.store_stm("context:current", {"trend": "up"})
            contexts = await client.get_context_memory()
            assert [entry["decision_id"] for entry in contexts["entries"]] == [of_the_lab]
            assert (contexts["complete"], contexts["off"]) == (True, ["short_term"])

        desk_url = cloud.api_url.replace(cloud.outputs["ApiId"], desk)
        async with AgentMemoryClient(desk_url, "hunter", session=session) as client:
            assert [one["decision_id"] for one in await client.query_decisions()] == [of_the_desk]
            await client.store_stm("context:current", {"trend": "down"})
            assert await client.retrieve_stm("context:current") == {"trend": "down"}

        functions = session.client("lambda").list_functions()["Functions"]
        prefixes = [one["FunctionName"].split("-")[0] for one in functions]
        without_gateways = len(CONTENTS) - 1
        assert prefixes.count("desk") == prefixes.count("lab") == without_gateways
