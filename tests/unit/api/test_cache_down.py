"""A cache that is down, over HTTP: the answer says that a retry does not help, and the client sends none."""

from dataclasses import replace

import pytest

from agent_memory import CacheUnavailable, Misconfigured, Unavailable, Unreadable
from agent_memory.api.deployment import Deployment
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import call_routes, client_with, short_term_calls


class Down:
    """A store of short-term memory that fails."""

    def __init__(self, error):
        self.error = error

    def run(self, *_, **__):
        raise self.error

    count = dump = erase = run


class Counted:
    """The routes, with their responses."""

    def __init__(self):
        self.responses = []

    def __call__(self, request):
        self.responses.append(call_routes(request))
        return self.responses[-1]


@pytest.mark.parametrize(
    ("error", "seen", "code"),
    [
        (Unavailable("Redis did not respond"), CacheUnavailable, "unavailable"),
        (CacheUnavailable("Redis has failed repeatedly"), CacheUnavailable, "unavailable"),
        (Misconfigured("redis_endpoint: the password is wrong"), Misconfigured, "misconfigured"),
        (Unreadable("a", "it is of another type"), Unavailable, "unreadable"),
    ],
)
async def test_an_answer_that_says_so_is_not_repeated(monkeypatch, clock, error, seen, code):
    served = Deployment(replace(in_memory_stores(clock), short_term=Down(error)))
    monkeypatch.setattr("agent_memory.api.deployment.deployment", lambda: served)
    routes = Counted()
    async with client_with(routes) as client:
        for call in short_term_calls(client, "a"):
            with pytest.raises(seen):
                await call
        assert (await client.get_context_memory())["missing"][0]["level"] == "immediate"
        await client.store_ltm("PATTERN", "pump", {})
        assert [one["pattern_id"] for one in await client.retrieve_ltm("PATTERN")] == ["pump"]
    assert [response.status_code for response in routes.responses] == [503] * 6 + [200] * 3
    bodies = [response.json()["error"] for response in routes.responses[:6]]
    assert {(body["code"], body["retryable"]) for body in bodies} == {(code, False)}
