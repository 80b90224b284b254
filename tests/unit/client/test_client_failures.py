"""Transient failures are retried; other failures are raised immediately."""

import inspect
import time

import httpx
import pytest

from agent_memory import AgentMemoryClient, BufferedDecisionLogger, Forbidden, TooLarge, Unavailable, new_decision_id
from agent_memory.client import requests
from tests.http_events import FakeSession, call_routes, client_with

pytestmark = pytest.mark.usefixtures("no_waits")


class FailingTransport:
    """Fails with each of the failures in turn, then calls the routes; records the requests."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if not self.failures:
            return call_routes(request)
        failure = self.failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure, json={"message": "sent by the gateway"})


@pytest.mark.parametrize(
    "failure",
    [429, 500, 502, 503, 504, httpx.ReadTimeout("t"), httpx.ConnectError("c"), httpx.RemoteProtocolError("r")],
)
async def test_a_transient_failure_is_retried(served, failure):
    transport = FailingTransport(failure, failure, failure)
    async with client_with(transport) as client:
        await client.log_decision("QUERY", {}, {})
    assert len(transport.requests) == 4
    assert len({request.content for request in transport.requests}) == 1


@pytest.mark.parametrize(
    ("failure", "message"), [(503, "sent by the gateway"), (httpx.ConnectError("c"), "ConnectError")]
)
async def test_after_four_attempts_it_is_unavailable(failure, message):
    transport = FailingTransport(*[failure] * 9)
    async with client_with(transport) as client:
        with pytest.raises(Unavailable, match=message):
            await client.query_decisions()
    assert len(transport.requests) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Unavailable),
        (400, Unavailable),
        (401, Unavailable),
        (403, Forbidden),
        (404, Unavailable),
        (409, Unavailable),
        (413, Unavailable),
        (501, Unavailable),
    ],
)
async def test_other_failures_are_not_retried(status, kind):
    transport = FailingTransport(status)
    async with client_with(transport) as client:
        with pytest.raises(kind, match="sent by the gateway"):
            await client.query_decisions()
    assert len(transport.requests) == 1


@pytest.mark.parametrize("body", ["", "[]", "<html>"])
async def test_a_response_that_is_not_a_json_object_is_unavailable(body):
    async with client_with(lambda _: httpx.Response(200, text=body)) as client:
        with pytest.raises(Unavailable, match=r"api\.example returned 200 without a JSON object"):
            await client.query_decisions()


ID = new_decision_id("QUERY", 1_795_000_000_000)
CALLS = [
    ("log_decision", ("QUERY", {}, {})),
    ("log_decisions", ([{"decision_type": "QUERY", "context": {}, "reasoning": {}}],)),
    ("log_outcome", (ID, {}, True)),
    ("log_outcomes", ([{"decision_id": ID, "outcome": {}, "success": True}],)),
    ("get_decision", (ID,)),
    ("query_decisions", ()),
    ("page_decisions", ()),
    ("get_decision_chain", (ID,)),
    ("analyze_decision_patterns", ()),
    ("get_performance", ()),
    ("get_success_rate_by_context", ()),
    ("get_source_effectiveness", ()),
    ("get_patterns", ()),
    ("get_pattern_confidence_trend", ("p",)),
    ("identify_emerging_patterns", ()),
    ("evaluate_policy", (lambda _: {"a": 1.0},)),
    ("store_stm", ("key", 1)),
    ("retrieve_stm", ("key",)),
    ("clear_stm", ()),
    ("write_cycle", ()),
    ("read_cycle", ()),
    ("remove_signal", ("exit",)),
    ("check_rate_limit", ("source", 1)),
    ("store_ltm", ("PATTERN", "p", {})),
    ("retrieve_ltm", ("PATTERN",)),
    ("get_pattern_memory", ()),
    ("update_ltm_confidence", ("p", 0.5)),
    ("get_ltm", ("PATTERN", "p")),
    ("delete_ltm", ("PATTERN", "p", "a test's data")),
    ("get_ltm_history", ("PATTERN", "p")),
    ("consolidate_to_ltm", ("key",)),
    ("advise", ("QUERY", {}, ["a", "b"])),
    ("influence", ("p",)),
    ("crowding", ("2026-11-20",)),
    ("quarantine", ("p", "poisoned")),
    ("release", ("p", "sound")),
    ("list_quarantines", ()),
    ("recall", ("words",)),
    ("similar", ({"trend": "up"},)),
    ("get_context_memory", ()),
    ("save_state", ({},)),
    ("load_state", ()),
    ("create_checkpoint", ("first",)),
    ("list_checkpoints", ()),
    ("restore_checkpoint", ("first",)),
    ("list_configurations", ()),
]


def test_every_method_is_called():
    methods = {name for name, _ in inspect.getmembers(AgentMemoryClient, inspect.iscoroutinefunction)}
    assert {name for name in methods if not name.startswith("_")} == {name for name, _ in CALLS} | {"aclose"}


@pytest.mark.slow
@pytest.mark.parametrize(("method", "arguments"), CALLS, ids=[method for method, _ in CALLS])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "{}"),
        (200, '{"message": "Hello"}'),
        (204, ""),
        (302, ""),
        (400, '{"message": "Bad Request"}'),
        (404, '{"message": "Not Found"}'),
        (409, "{}"),
        (413, '{"message": "Request Too Long"}'),
        (503, "<html>"),
    ],
)
async def test_an_answer_that_is_not_the_apis_is_an_outage_for_every_method(status, body, method, arguments):
    async with client_with(lambda _: httpx.Response(status, text=body)) as client:
        with pytest.raises(Unavailable) as caught:
            await getattr(client, method)(*arguments)
    assert type(caught.value) is Unavailable


async def test_all_attempts_together_have_a_time_limit(monkeypatch):
    monkeypatch.setattr(requests, "_TOTAL_SECONDS", 0.05)
    monkeypatch.setattr(requests, "_ATTEMPTS", 100)
    timeouts = []

    def slow(request):
        timeouts.append(request.extensions["timeout"]["read"])
        time.sleep(0.02)
        return httpx.Response(503)

    async with client_with(slow) as client:
        with pytest.raises(Unavailable, match="did not respond within"):
            await client.query_decisions()
    assert timeouts == sorted(timeouts, reverse=True)
    assert timeouts[0] <= 0.05


async def test_a_request_that_cannot_be_sent_is_not_retried():
    transport = FailingTransport(httpx.UnsupportedProtocol("ftp"), 500)
    async with client_with(transport) as client:
        with pytest.raises(Unavailable, match="UnsupportedProtocol"):
            await client.query_decisions()
    assert len(transport.requests) == 1


async def test_a_buffer_keeps_records_while_there_are_no_credentials(tmp_path):
    class SessionWithoutCredentials(FakeSession):
        def get_credentials(self):
            return None

    client = AgentMemoryClient("https://api.example", "hunter", session=SessionWithoutCredentials())
    buffered = BufferedDecisionLogger(client, tmp_path)
    for n in range(2):
        await buffered.log_decision("QUERY", {"n": n}, {})
    with pytest.raises(Unavailable, match="no AWS credentials found"):
        await buffered.flush(0.2)
    metrics = buffered.metrics()
    assert (metrics.pending_records, metrics.rejected) == (2, 0)
    await buffered.aclose(0)
    await client.aclose()


@pytest.mark.parametrize("character", ["x", "☃"])
async def test_a_url_that_api_gateway_refuses_is_not_sent(character):
    """Its answer would not be that of the API, and so an outage, which it is not."""

    def never(_request):
        raise AssertionError("sent")

    client = client_with(never)
    with pytest.raises(TooLarge) as caught:
        await client.advise("TRADE", {"note": character * 12_000}, ["long", "short"])
    assert caught.value.field == "context"
    with pytest.raises(TooLarge) as caught:
        await client.query_decisions(context_filter={"note": character * 12_000})
    assert caught.value.field == "context"  # as the parameter of the API is named
