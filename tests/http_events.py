"""API Gateway HTTP API events (payload 2.0) and a Lambda context, for tests."""

import json
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass
class Context:
    function_name: str = "api"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:api"
    aws_request_id: str = "request-1"


def http_event(method, path, body=None, query=None, *, raw=None):
    text = raw if raw is not None else (json.dumps(body) if body is not None else None)
    return {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "queryStringParameters": query or {},
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t"},
            "requestId": "gateway-1",
            "stage": "$default",
        },
        "body": text,
        "isBase64Encoded": False,
    }
