"""AWS Signature Version 4 for httpx, by botocore's own signer."""

from collections.abc import Generator
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


class SigV4(httpx.Auth):
    """Signs each request for API Gateway with the credentials of a boto3 session."""

    requires_request_body = True

    def __init__(self, session: Any, region: str) -> None:
        self._session = session
        self._region = region

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature; credentials are asked for anew, because roles renew them."""
        headers = {"host": request.url.netloc.decode(), "content-type": request.headers.get("content-type", "")}
        unsigned = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={k: v for k, v in headers.items() if v},
        )
        credentials = self._session.get_credentials()
        if credentials is None:
            raise PermissionError("no AWS credentials found; set a profile, a role or AWS_ACCESS_KEY_ID")
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(unsigned)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in unsigned.headers:
                request.headers[name] = unsigned.headers[name]
        yield request
