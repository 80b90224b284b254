"""A base URL that cannot be right is refused in the constructor, with what to write instead."""

import pytest

from agent_memory import AgentMemoryClient, BufferedDecisionLogger, InvalidInput
from tests.http_events import FakeSession


def client_of(url, **arguments):
    return AgentMemoryClient(url, "hunter", session=FakeSession(), **arguments)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "is empty"),
        (None, "expected text, got NoneType"),
        (b"https://api.example", "bytes is not a JSON type; pass text"),
        ("https://", "has no host"),
        ("https:///path", "has no host"),
        ("localhost:8000", "write http://localhost:8000$"),
        ("127.0.0.1:8000/", "write http://127.0.0.1:8000$"),
        ("[::1]:8000", r"write http://\[::1\]:8000$"),
        ("api.example", "write https://api.example$"),
        ("//api.example", "write https://api.example$"),
        ("https:/api.example", "write https://api.example$"),
        ("https:api.example/v1", "write https://api.example$"),
        ("ftp://api.example", "neither https nor http"),
        ("ws://api.example", "neither https nor http"),
        (" https://api.example", "neither https nor http"),
        ("https://api.example/v1", "contains /v1, .* write https://api.example$"),
        ("https://api.example/V1/", "write https://api.example$"),
        ("https://api.example//v1", "write https://api.example$"),
        ("https://api.example/prod/v1/agents/hunter/", "write https://api.example/prod$"),
        ("https://api.example?stage=prod", "query or a fragment; write https://api.example$"),
        ("https://api.example/v1?", "query or a fragment; write https://api.example$"),
        ("https://api.example/#top", "query or a fragment; write https://api.example$"),
        ("https://user:secret@api.example", "contains a user name"),
        ("https://api.example:port", "is not a URL"),
        ("https://api.example:99999", "no port 99999"),
        ("https://api.example:0", "no port 0"),
        ("https://api example", "the host .* is invalid"),
        ("https://api..example", "the host .* is invalid"),
        ("https://{id}.execute-api.us-east-1.amazonaws.com", "the host .* is invalid"),
        (f"https://{'a' * 64}.example", "the host .* is invalid"),
        ("https://[::1", "is not a URL"),
        ("https://api.example\n", "is not a URL"),
        ("http://abc.execute-api.us-east-1.amazonaws.com/", "https only; write https://abc.execute-api.us-east-1"),
    ],
)
def test_it_is_refused_at_once(url, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        client_of(url)
    assert caught.value.field == "base_url"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("https://api.example", "https://api.example/v1/agents/hunter/"),
        ("HTTPS://api.example/", "HTTPS://api.example/v1/agents/hunter/"),
        ("https://api.example/prod/", "https://api.example/prod/v1/agents/hunter/"),
        ("https://api.example/v10", "https://api.example/v10/v1/agents/hunter/"),
        ("http://localhost:8000", "http://localhost:8000/v1/agents/hunter/"),
        ("http://[::1]:8000", "http://[::1]:8000/v1/agents/hunter/"),
        ("http://my_service:8000", "http://my_service:8000/v1/agents/hunter/"),
        ("https://märkte.example", "https://märkte.example/v1/agents/hunter/"),
    ],
)
def test_other_urls_are_used_as_they_are(url, requested):
    assert repr(client_of(url)) == f"AgentMemoryClient({requested!r})"


def test_nothing_is_written_for_a_buffer_on_a_wrong_url(tmp_path):
    with pytest.raises(InvalidInput, match="base_url"):
        BufferedDecisionLogger(client_of("localhost:8000"), tmp_path / "buffer")
    assert not (tmp_path / "buffer").exists()


def test_a_session_that_is_none_of_boto3_is_refused_at_once():
    with pytest.raises(InvalidInput, match=r"session: .*boto3\.Session"):
        AgentMemoryClient("https://api.example", "hunter", session="default")


def test_an_unknown_profile_is_refused_with_the_variable_to_set(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    with pytest.raises(InvalidInput, match=r"session: .*no-such-profile.*AWS_PROFILE"):
        AgentMemoryClient("https://api.example", "hunter")
