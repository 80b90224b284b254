"""The metrics that an agent's own process writes for CloudWatch."""

import io
import json

from agent_memory import MemoryManager, Unavailable
from agent_memory.core.clock import FixedClock
from agent_memory.storage.factory import in_memory_stores


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_each_line_has_what_short_term_memory_did_since_the_last_one(monkeypatch):
    stores, stream = in_memory_stores(), io.StringIO()
    memory = MemoryManager("hunter", stores=stores, clock=FixedClock(1_795_176_000_000))
    assert memory.write_metrics(stream) is False
    await memory.store_stm("a", 1, 60)
    for key in ("a", "a", "a", "b"):
        await memory.retrieve_stm(key)
    assert memory.write_metrics(stream) is True
    await memory.retrieve_stm("b")

    def down(*_):
        raise Unavailable("Redis did not respond")

    monkeypatch.setattr(stores.short_term, "run", down)
    await memory.retrieve_stm("a")
    assert memory.sync.write_metrics(stream) is True
    assert memory.write_metrics(stream) is False
    first, second = lines(stream)
    assert (first["STMHitRate"], first["service"]) == (75.0, "direct")
    assert (second["STMHitRate"], second["STMFailures"]) == (0.0, 1)
    assert first["_aws"] == {
        "Timestamp": 1_795_176_000_000,
        "CloudWatchMetrics": [
            {
                "Namespace": "BTCAgent/Memory",
                "Dimensions": [["service"]],
                "Metrics": [{"Name": "STMHitRate", "Unit": "Percent"}],
            }
        ],
    }


async def test_lines_go_to_stdout_and_to_the_deployments_namespace(monkeypatch, capsys):
    monkeypatch.setenv("AGENT_MEMORY_METRICS_NAMESPACE", "Desk/Memory")
    memory = MemoryManager("hunter", stores=in_memory_stores())
    await memory.retrieve_stm("a")
    memory.write_metrics()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Desk/Memory"
