"""What a request writes into the function's log group, which is charged by the byte."""

import json
from io import StringIO

import pytest

from agent_memory.api import entry
from agent_memory.api.observability import logger
from tests.http_events import Context


@pytest.fixture
def written(monkeypatch):
    """The lines of the function's log at its default level, as JSON."""
    stream = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def respond(monkeypatch, status):
    monkeypatch.setattr(entry, "resolve", lambda *_: {"statusCode": status})
    event = {"requestContext": {"requestId": "request-7"}, "routeKey": "GET /v1/agents/{agent_id}/decisions"}
    return entry.handler(event, Context())


def test_a_request_that_succeeds_is_in_the_access_log_only(monkeypatch, written):
    respond(monkeypatch, 200)
    assert written() == []


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_a_request_that_fails_is_found_by_its_id_without_what_is_the_same_in_every_line(monkeypatch, written, status):
    respond(monkeypatch, status)
    (line,) = written()
    assert (line["status"], line["correlation_id"]) == (status, "request-7")
    assert line["route"] == "GET /v1/agents/{agent_id}/decisions"
    assert {"level", "message", "timestamp", "service", "cold_start", "function_request_id"} <= set(line)
    assert not {"location", "function_name", "function_memory_size", "function_arn"} & set(line)
    assert len(json.dumps(line)) < 400
