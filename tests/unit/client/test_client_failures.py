"""What the client makes of failures: what may pass is repeated, what will not is told at once."""

import time

import httpx
import pytest

from agent_memory import AgentMemoryClient, BufferedDecisionLogger, Forbidden, InvalidInput, TooLarge, Unavailable
from agent_memory.client import requests
from tests.http_events import Keys, client_over, to_the_routes

pytestmark = pytest.mark.usefixtures("no_waits")


class Answers:
    """Failures one after the other, then the routes; the requests are kept."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if not self.failures:
            return to_the_routes(request)
        failure = self.failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure, json={"message": "told by the gateway"})


@pytest.mark.parametrize(
    "failure",
    [429, 500, 502, 503, 504, httpx.ReadTimeout("t"), httpx.ConnectError("c"), httpx.RemoteProtocolError("r")],
)
async def test_what_may_pass_is_repeated(served, failure):
    answers = Answers(failure, failure, failure)
    async with client_over(answers) as client:
        await client.log_decision("QUERY", {}, {})
    assert len(answers.requests) == 4
    assert len({request.content for request in answers.requests}) == 1


@pytest.mark.parametrize(("failure", "told"), [(503, "told by the gateway"), (httpx.ConnectError("c"), "ConnectError")])
async def test_after_four_attempts_it_is_unavailable(failure, told):
    answers = Answers(*[failure] * 9)
    async with client_over(answers) as client:
        with pytest.raises(Unavailable, match=told):
            await client.query_decisions()
    assert len(answers.requests) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Unavailable),
        (400, InvalidInput),
        (401, Unavailable),
        (403, Forbidden),
        (413, TooLarge),
        (501, Unavailable),
    ],
)
async def test_what_will_not_pass_is_told_at_once(status, kind):
    answers = Answers(status)
    async with client_over(answers) as client:
        with pytest.raises(kind, match="told by the gateway"):
            await client.query_decisions()
    assert len(answers.requests) == 1


@pytest.mark.parametrize("body", ["", "[]", "<html>"])
async def test_an_answer_of_something_else_is_unavailable(body):
    async with client_over(lambda _: httpx.Response(200, text=body)) as client:
        with pytest.raises(Unavailable, match=r"api\.example answered 200, but not with a JSON object"):
            await client.query_decisions()


async def test_all_attempts_together_have_a_budget(monkeypatch):
    monkeypatch.setattr(requests, "_TOTAL_SECONDS", 0.05)
    monkeypatch.setattr(requests, "_ATTEMPTS", 100)
    timeouts = []

    def slow(request):
        timeouts.append(request.extensions["timeout"]["read"])
        time.sleep(0.02)
        return httpx.Response(503)

    async with client_over(slow) as client:
        with pytest.raises(Unavailable, match="did not respond within"):
            await client.query_decisions()
    assert timeouts == sorted(timeouts, reverse=True)
    assert timeouts[0] <= 0.05


async def test_what_cannot_be_sent_at_all_is_not_repeated():
    answers = Answers(httpx.UnsupportedProtocol("ftp"), 500)
    async with client_over(answers) as client:
        with pytest.raises(Unavailable, match="UnsupportedProtocol"):
            await client.query_decisions()
    assert len(answers.requests) == 1


async def test_a_buffer_keeps_what_cannot_be_sent_for_lack_of_credentials(tmp_path):
    class NoKeys(Keys):
        def get_credentials(self):
            return None

    client = AgentMemoryClient("https://api.example", "hunter", session=NoKeys())
    buffered = BufferedDecisionLogger(client, tmp_path)
    for n in range(2):
        await buffered.log_decision("QUERY", {"n": n}, {})
    with pytest.raises(Unavailable, match="no AWS credentials found"):
        await buffered.flush(0.2)
    told = buffered.metrics()
    assert (told.pending_records, told.rejected) == (2, 0)
    await buffered.aclose(0)
    await client.aclose()
