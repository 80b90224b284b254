"""API Gateway HTTP API events (payload 2.0), a Lambda context, and a client that calls the routes without a network."""

import base64
import json
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import httpx

from agent_memory import AgentMemoryClient
from agent_memory.api import entry as api

USER_ARN = "arn:aws:sts::123456789012:assumed-role/market-hunter/session"


class FakeSession:
    """A boto3 session with static credentials."""

    region_name = "us-east-1"

    def get_credentials(self):
        import botocore.credentials

        return botocore.credentials.Credentials("AKIDEXAMPLE", "example", "session-token")


# An instance of a function processes one request at a time.
_REQUEST_LOCK = threading.Lock()


@dataclass
class Context:
    function_name: str = "api"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:api"
    aws_request_id: str = "request-1"


def http_event(method, path, body=None, query=None, *, raw=None, content=None, is_base64=False):
    """An event of API Gateway; `content` are the bytes of a body, which it hands on as Base64 unless they are text."""
    if content:
        try:
            raw = content.decode()
        except UnicodeDecodeError:
            raw, is_base64 = base64.b64encode(content).decode(), True
    text = raw if raw is not None else (json.dumps(body) if body is not None else None)
    return {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": path,
        "rawQueryString": query if isinstance(query, str) else urlencode(query or {}),
        "queryStringParameters": dict(parse_qsl(query)) if isinstance(query, str) else query or {},
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t"},
            "authorizer": {"iam": {"userArn": USER_ARN}},
            "requestId": "gateway-1",
            "stage": "$default",
        },
        "body": text,
        "isBase64Encoded": is_base64,
    }


def call_routes(request):
    """The response of the deployed function to a request of httpx."""
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert request.headers["x-amz-security-token"] == "session-token"
    raw = request.content.decode() if request.content else None
    event = http_event(request.method, request.url.path, query=request.url.query.decode(), raw=raw)
    with _REQUEST_LOCK:
        response = api.resolve(event, Context())
    return httpx.Response(response["statusCode"], text=response["body"])


def client_with(handle, agent_id="market-hunter", **arguments):
    """A client whose requests are passed to a function that returns the response."""
    transport = httpx.MockTransport(handle)
    return AgentMemoryClient("https://api.example", agent_id, session=FakeSession(), transport=transport, **arguments)


def short_term_calls(client, key):
    """A call of each method that only uses short-term memory."""
    return (
        client.store_stm(key, {}, 60),
        client.retrieve_stm(key),
        client.clear_stm(),
        client.write_cycle(signals=["buy"]),
        client.remove_signal("buy"),
        client.consolidate_to_ltm(key, "PATTERN"),
    )
