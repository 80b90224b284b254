"""One client works from every event loop and thread, also after it was used in another one."""

import asyncio
import inspect
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent_memory import AgentMemoryClient, BufferedDecisionLogger, DecisionLogger, Unavailable
from tests.http_events import FakeSession, call_routes
from tests.http_servers import http_server
from tests.waiting import until_sending_fails

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture
def client(served):
    """A client of the routes behind a real server."""
    with http_server(call_routes) as url:
        client = AgentMemoryClient(url, "market-hunter", session=FakeSession())
        yield client
        client.sync.close()


def log(client, n):
    return asyncio.run(client.log_decision("QUERY", {"n": n}, {}))


def numbers(client):
    return sorted(one["context"]["n"] for one in client.sync.query_decisions(limit=1000))


def test_in_one_run_after_the_other(client):
    for n in range(4):
        log(client, n)
    assert numbers(client) == [0, 1, 2, 3]


def test_in_loops_of_several_threads_at_the_same_time(client):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: log(client, n), range(40)))
    assert len(set(ids)) == 40
    assert numbers(client) == list(range(40))


def test_synchronously_inside_a_running_loop(client):
    async def main():
        client.sync.log_decision("QUERY", {"n": 0}, {})
        await client.log_decision("QUERY", {"n": 1}, {})
        return numbers(client)

    assert asyncio.run(main()) == [0, 1]


def test_a_used_client_under_a_buffer_and_a_buffer_in_several_runs(client, tmp_path):
    log(client, 0)
    buffered = BufferedDecisionLogger(client, tmp_path / "buffer")
    for n in range(1, 4):
        log(buffered, n)
    asyncio.run(buffered.flush())
    assert numbers(client) == [0, 1, 2, 3]
    thread = threading.Thread(target=log, args=(buffered, 4))
    thread.start()
    thread.join()
    asyncio.run(buffered.aclose())
    assert (buffered.metrics().rejected, buffered.metrics().acknowledged) == (0, 4)
    assert not (tmp_path / "buffer" / "rejected.jsonl").exists()


def test_an_asynchronous_sink_that_belongs_to_another_loop_rejects_nothing(tmp_path):
    """As a client of another library whose connections belong to the loop in which it was used first."""

    class BoundToALoop:
        agent_id = "market-hunter"

        async def log_decisions(self, _):
            raise RuntimeError("is bound to a different event loop")

        log_outcomes = log_decisions

    async def main():
        buffered = BufferedDecisionLogger(BoundToALoop(), tmp_path / "buffer")
        await buffered.log_decision("QUERY", {}, {})
        await until_sending_fails(buffered)
        with pytest.raises(Unavailable, match="bound to a different event loop"):
            await buffered.flush(0)
        await buffered.aclose(0)
        return buffered.metrics()

    metrics = asyncio.run(main())
    assert (metrics.pending_records, metrics.rejected) == (1, 0)


def test_a_closed_client_says_so(client):
    client.sync.close()
    for _ in range(2):
        with pytest.raises(Unavailable, match="this client is closed"):
            log(client, 0)


def test_a_child_process_has_connections_of_its_own(client):
    log(client, 0)
    reopened = client._http._requests._http
    client._http._requests._process = -1  # as in a child after a fork
    log(client, 1)
    assert client._http._requests._http is not reopened
    reopened.close()
    assert numbers(client) == [0, 1]


def test_a_call_that_is_repeated_with_an_id_made_before_it_is_one_decision(served):
    """The pattern of docs/usage.md for calls with a timeout."""
    from agent_memory import new_decision_id

    release = threading.Event()

    def slow(request):
        response = call_routes(request)
        if request.method == "POST" and not release.is_set():
            release.wait(10)
        return response

    async def main(client, decision_id):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.log_decision("QUERY", {"n": 1}, {}, decision_id=decision_id), 0.1)
        release.set()
        return await client.log_decision("QUERY", {"n": 1}, {}, decision_id=decision_id)

    with http_server(slow) as url:
        client = AgentMemoryClient(url, "market-hunter", session=FakeSession())
        decision_id = new_decision_id("QUERY", write_shards=client.write_shards)
        assert asyncio.run(main(client, decision_id)) == decision_id
        assert numbers(client) == [1]
        client.sync.close()


@pytest.mark.parametrize("kind", [DecisionLogger, AgentMemoryClient, BufferedDecisionLogger])
def test_the_method_and_the_readme_say_how_to_repeat_a_call(kind):
    assert 'make the id first: `new_decision_id("QUERY")`' in inspect.getdoc(kind.log_decision)
    assert 'gets its id first, `new_decision_id("QUERY")`' in README.read_text(encoding="utf-8")


def test_the_body_of_a_retried_call_names_the_same_id(served):
    bodies = []

    def fails_once(request):
        bodies.append(json.loads(request.content))
        return (503, b"{}") if len(bodies) == 1 else call_routes(request)

    with http_server(fails_once) as url:
        client = AgentMemoryClient(url, "market-hunter", session=FakeSession())
        decision_id = log(client, 1)
        client.sync.close()
    assert [body["decision_id"] for body in bodies] == [decision_id] * 2
