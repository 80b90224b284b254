"""Every kind of answer that a sink gives to a buffer, with what becomes of the record.

`docs/buffered-logging.md` shows these rows; the tests try each of them.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from agent_memory import Conflict, Forbidden, InvalidInput, NotFound, TooEarly, TooLarge, Unavailable

WAITS, REJECTED = "waits", "rejected"


@dataclass(frozen=True)
class Row:
    """One row: the answer as the page writes it, what becomes of the record, and the answers to try."""

    answer: str
    becomes: str
    tried: tuple[Any, ...]


def message(status: int, text: str, name: str = "message") -> tuple[int, bytes]:
    """An answer of API Gateway."""
    return status, json.dumps({name: text}).encode()


def envelope(status: int, code: str, **more: Any) -> tuple[int, bytes]:
    """An error of the API."""
    return status, json.dumps({"error": {"code": code, "message": "as the API says", **more}}).encode()


def results(*each: Any) -> tuple[int, bytes]:
    """An answer to a batch of one record, which has one result."""
    return 200, json.dumps({"results": list(each)}).encode()


def refused(status: str, code: str, **more: Any) -> dict[str, Any]:
    """The result of a record that is not stored."""
    return {"decision_id": None, "status": status, "error": {"code": code, "message": "as the API says", **more}}


HTTP = (
    Row(
        "a result with the status `invalid`, `conflict`, `not_found` or `too_large`",
        REJECTED,
        tuple(
            results(refused(status, code))
            for status, code in [
                ("invalid", "invalid_input"),
                ("invalid", "too_large"),
                ("conflict", "conflict"),
                ("not_found", "not_found"),
                ("too_large", "too_large"),
            ]
        ),
    ),
    Row(
        "400, 404, 409 or 413 with the API's envelope and `invalid_input`, `not_found`, `conflict` or `too_large`",
        REJECTED,
        (
            envelope(400, "invalid_input", field="/decisions"),
            envelope(400, "invalid_input"),
            envelope(404, "not_found"),
            envelope(409, "conflict"),
            envelope(413, "too_large", field="body"),
        ),
    ),
    Row(
        "either of them with `retry_after_seconds`: the clock of the store is behind",
        WAITS,
        (
            results(refused("invalid", "invalid_input", field="/decisions/0/decision_id", retry_after_seconds=60)),
            envelope(400, "invalid_input", field="/decision_id", retry_after_seconds=60),
        ),
    ),
    Row(
        "the API's envelope with another code: `forbidden`, `unavailable`, `in_cold_storage`, `no_route`, `internal`",
        WAITS,
        (
            envelope(403, "forbidden"),
            envelope(503, "unavailable"),
            envelope(503, "in_cold_storage"),
            envelope(503, "damaged"),
            envelope(404, "short_term_off"),
            envelope(404, "no_route"),
            envelope(500, "internal", request_id="1"),
            envelope(400, "of_a_later_version"),
            envelope(500, "invalid_input"),
        ),
    ),
    Row(
        'any status from 300 on without it, as `{"message": …}` of API Gateway, `{}`, text, HTML or nothing',
        WAITS,
        (
            message(302, "Found"),
            message(400, "Bad Request"),
            message(401, "Unauthorized"),
            message(403, "Forbidden"),
            message(403, "Missing Authentication Token"),
            message(403, "Signature expired: 20261120T120000Z is now earlier than 20261120T120500Z"),
            message(403, "The security token included in the request is expired"),
            message(403, "User: arn:aws:iam::1:user/a is not authorized to perform: execute-api:Invoke", "Message"),
            message(404, "Not Found"),
            message(405, "Method Not Allowed"),
            message(408, "Request Timeout"),
            message(409, "Conflict"),
            message(413, "Request Too Long"),
            message(415, "Unsupported Media Type"),
            message(422, "Unprocessable Entity"),
            message(429, "Too Many Requests"),
            message(500, "Internal Server Error"),
            message(502, "Bad Gateway"),
            message(503, "Service Unavailable"),
            message(504, "Endpoint request timed out"),
            (400, b"{}"),
            (404, b"<html>"),
            (409, b"{}"),
            (413, b""),
            (400, b'{"error": "invalid_input"}'),
            (404, b'{"code": "not_found", "message": "none of ours"}'),
            (409, b'{"error": {"message": "without a code"}}'),
        ),
    ),
    Row(
        "2xx without one known result per record: `{}`, no results, too many, another status, HTML, nothing",
        WAITS,
        (
            (200, b"{}"),
            (200, b"[]"),
            (200, b""),
            (200, b"<html>"),
            (200, b"\xff\xfe"),
            (204, b""),
            (201, b'{"decision_id": "1", "status": "created"}'),
            (200, b'{"results": "created"}'),
            (200, b'{"results": null}'),
            results(),
            results({"status": "created"}, {"status": "created"}),
            results({}),
            results(None),
            results("created"),
            results({"status": "throttled"}),
            results({"status": None, "error": {"code": "invalid_input"}}),
        ),
    ),
    Row("no connection, none in time, a connection that ends, a name or a certificate that is not found", WAITS, ()),
    Row("no AWS credentials, expired ones, or ones that cannot be loaded", WAITS, ()),
)


def aws(code: str, text: str = "as AWS says") -> ClientError:
    """An error of an AWS service."""
    return ClientError({"Error": {"Code": code, "Message": text}}, "PutItem")


_URL = {"endpoint_url": "https://dynamodb.us-east-1.amazonaws.com"}

# Raised by the client of DynamoDB under a `DecisionLogger`.
AWS = (
    Row(
        "`ValidationException` for the item: its size, its depth, a number",
        REJECTED,
        (aws("ValidationException", "Item size has exceeded the maximum allowed size"),),
    ),
    Row(
        "any other code: throttling (`ThrottlingException`, `ProvisionedThroughputExceededException`, "
        "`RequestLimitExceeded`), refused (`AccessDeniedException`, `ExpiredTokenException`, "
        "`UnrecognizedClientException`, `InvalidSignatureException`), missing tables (`ResourceNotFoundException`), "
        "keys of KMS, clocks (`RequestTimeTooSkewed`), 5xx",
        WAITS,
        tuple(
            aws(code)
            for code in (
                "ThrottlingException",
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
                "ReplicatedWriteConflictException",
                "AccessDeniedException",
                "ExpiredTokenException",
                "ExpiredToken",
                "UnrecognizedClientException",
                "InvalidSignatureException",
                "IncompleteSignatureException",
                "MissingAuthenticationTokenException",
                "SignatureDoesNotMatch",
                "OptInRequired",
                "ResourceNotFoundException",
                "TableNotFoundException",
                "LimitExceededException",
                "ItemCollectionSizeLimitExceededException",
                "KMSAccessDeniedException",
                "KMSDisabledException",
                "RequestTimeTooSkewed",
                "RequestExpired",
                "InternalServerError",
                "InternalFailure",
                "ServiceUnavailable",
                "502",
                "",
            )
        ),
    ),
    Row(
        "an error of botocore: endpoint, timeout, connection, proxy, certificate, credentials",
        WAITS,
        (
            EndpointConnectionError(**_URL),
            ConnectTimeoutError(**_URL),
            ReadTimeoutError(**_URL),
            ConnectionClosedError(**_URL),
            SSLError(**_URL, error="certificate verify failed"),
            ProxyConnectionError(proxy_url="http://proxy"),
            NoCredentialsError(),
            PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            TokenRetrievalError(provider="sso", error_msg="expired"),
            UnauthorizedSSOTokenError(),
        ),
    ),
)

# Raised by any sink, also one of your own.
RAISED = (
    Row(
        "`InvalidInput`, `TooLarge`, `NotFound`, `Conflict`",
        REJECTED,
        (InvalidInput("/context", "x"), TooLarge("/context", "x"), NotFound("x"), Conflict("x")),
    ),
    Row("`TooEarly`: the clock of the store is behind", WAITS, (TooEarly("/decision_id", "x", 60),)),
    Row("`Unavailable`, `Forbidden`", WAITS, (Unavailable("x"), Forbidden("x"))),
    Row(
        "any other: `OSError`, `RuntimeError` as of a closed event loop, `MemoryError`, a cancellation, a bug",
        WAITS,
        (
            OSError("x"),
            PermissionError("x"),
            TimeoutError("x"),
            RuntimeError("Event loop is closed"),
            MemoryError(),
            RecursionError("x"),
            KeyError("x"),
            TypeError("x"),
            AssertionError(),
            asyncio.CancelledError(),
            SystemExit(1),
            aws("ThrottlingException"),
        ),
    ),
)
