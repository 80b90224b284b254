"""Only the sink's own verdict on a record rejects it: every row of the table, over HTTP, DynamoDB and other sinks."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from answers import AWS, HTTP, RAISED, REJECTED, WAITS
from botocore.exceptions import NoCredentialsError, TokenRetrievalError
from buffer_fakes import FakeStore

from agent_memory import (
    AgentMemoryClient,
    BufferedDecisionLogger,
    Conflict,
    DecisionLogger,
    InvalidInput,
    NotFound,
    Rejected,
    Unavailable,
    in_memory_stores,
)
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from tests.http_events import FakeSession, call_routes
from tests.http_servers import http_server
from tests.waiting import until_sending_fails

pytestmark = pytest.mark.usefixtures("no_waits")
PAGE = Path(__file__).parents[3] / "docs" / "buffered-logging.md"


def tried(rows):
    """Each answer with what becomes of the record, in a readable parameter."""
    return [
        pytest.param(one, row.becomes, id=f"{row.becomes}-{one!r:.60}".replace(" ", "-"))
        for row in rows
        for one in row.tried
    ]


async def assert_becomes(becomes, sink, directory, repair):
    """Log a decision and an outcome, whose sink answers as to be tried until it is repaired."""
    buffered = BufferedDecisionLogger(sink, directory)
    decision_id = await buffered.log_decision("QUERY", {"n": 1}, {})
    if becomes == REJECTED:
        with pytest.raises(Rejected) as caught:
            await buffered.flush(30)
        (line,) = [json.loads(one) for one in caught.value.file.read_text().splitlines()]
        assert line["decision"]["decision_id"] == decision_id
        assert caught.value.reason.startswith(line["error"]["code"])
    else:
        await until_sending_fails(buffered)
        with pytest.raises(Unavailable, match=r"1 records in .* are not sent; [1-9]\d* attempts failed"):
            await buffered.flush(0)
        metrics = buffered.metrics()
        assert (metrics.pending_records, metrics.acknowledged, metrics.rejected) == (1, 0, 0)
        assert (metrics.failed_attempts > 0, metrics.last_error is None) == (True, False)
        repair()
        await buffered.log_outcome(decision_id, {"n": 1}, True)
        await buffered.flush(30)
        metrics = buffered.metrics()
        assert (metrics.acknowledged, metrics.rejected) == (2, 0)
        assert (metrics.failed_attempts, metrics.failing_seconds, metrics.last_error) == (0, 0.0, None)
        assert not (directory / "rejected.jsonl").exists()
    await buffered.aclose(0)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "becomes"), tried(HTTP))
async def test_over_http(served, directory, answer, becomes):
    answers = [answer]
    with http_server(lambda request: answers[0] if answers else call_routes(request)) as url:
        client = AgentMemoryClient(url, "hunter", session=FakeSession())
        await assert_becomes(becomes, client, directory, answers.clear)


async def test_over_http_while_connections_end(served, directory):
    broken = [True]

    def handle(request):
        if broken:
            raise ConnectionResetError  # the server closes the connection without an answer
        return call_routes(request)

    with http_server(handle) as url:
        client = AgentMemoryClient(url, "hunter", session=FakeSession())
        await assert_becomes(WAITS, client, directory, broken.clear)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
async def test_over_http_without_a_connection(directory, url):
    buffered = BufferedDecisionLogger(AgentMemoryClient(url, "hunter", session=FakeSession()), directory)
    await buffered.log_decision("QUERY", {}, {})
    await until_sending_fails(buffered)
    assert "ConnectError" in buffered.metrics().last_error
    assert buffered.metrics().rejected == 0
    await buffered.aclose(0)


@pytest.mark.parametrize(
    "credentials",
    [None, NoCredentialsError(), TokenRetrievalError(provider="sso", error_msg="expired"), AWS[1].tried[4]],
    ids=lambda one: type(one).__name__,
)
async def test_over_http_without_credentials(served, directory, credentials):
    class Session(FakeSession):
        is_broken = True

        def get_credentials(self):
            if not self.is_broken:
                return super().get_credentials()
            if credentials is None:
                return None
            raise credentials

    session = Session()
    with http_server(call_routes) as url:
        client = AgentMemoryClient(url, "hunter", session=session)
        await assert_becomes(WAITS, client, directory, lambda: setattr(session, "is_broken", False))


class FailingClient:
    """A client of DynamoDB whose requests raise an error until it is repaired."""

    def __init__(self, error):
        self.errors = [error]

    def __getattr__(self, name):
        def request(**_):
            if self.errors:
                raise self.errors[0]
            return {}

        return request


@pytest.mark.parametrize(("error", "becomes"), tried(AWS))
async def test_over_dynamodb(directory, error, becomes):
    client = FailingClient(error)
    stores = replace(in_memory_stores(), decisions=DynamoDBDecisions(client, "agent-memory"))
    await assert_becomes(becomes, DecisionLogger("hunter", stores=stores), directory, client.errors.clear)


@pytest.mark.parametrize(("error", "becomes"), tried(RAISED))
async def test_over_any_sink(directory, error, becomes):
    class Sink(FakeStore):
        errors = [error]  # noqa: RUF012  of this test

        def log_decisions(self, decisions):
            if self.errors:
                raise self.errors[0]
            return super().log_decisions(decisions)

    await assert_becomes(becomes, Sink(), directory, Sink.errors.clear)


@pytest.mark.parametrize(
    "error", [Conflict("other writers kept coming first"), InvalidInput("request", "no such index"), NotFound("x")]
)
@pytest.mark.parametrize("method", ["register", "registration"])
async def test_an_error_of_the_registration_is_no_verdict_on_the_decision(directory, monkeypatch, error, method):
    """Before a decision is written, its type is registered: a conflict there is one with other writers."""
    stores = in_memory_stores()
    logger = DecisionLogger("hunter", stores=stores)
    sent = DecisionLogger("hunter", stores=stores)
    decision_id = await sent.log_decision("OF_ANOTHER_TYPE", {}, {})

    def fail(*_, **__):
        raise error

    buffered = BufferedDecisionLogger(logger, directory)
    with monkeypatch.context() as patch:
        patch.setattr(stores.states, method, fail)
        if method == "register":
            await buffered.log_decision("QUERY", {}, {})
        else:
            await buffered.log_outcome(decision_id, {}, True)
        await until_sending_fails(buffered)
    await buffered.flush(30)
    assert (buffered.metrics().acknowledged, buffered.metrics().rejected) == (1, 0)
    await buffered.aclose()


@pytest.mark.parametrize("rows", [HTTP, AWS, RAISED], ids=["http", "aws", "raised"])
def test_the_page_shows_the_table(rows):
    shown = re.findall(r"^\| (.+) \| (waits|rejected) \|$", PAGE.read_text(), re.MULTILINE)
    expected = [(row.answer, row.becomes) for row in rows]
    assert [one for one in shown if one in expected] == expected


def test_the_page_shows_no_other_rows():
    shown = re.findall(r"^\| (.+) \| (waits|rejected) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(shown) == len(HTTP + AWS + RAISED)
