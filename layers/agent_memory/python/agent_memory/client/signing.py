"""AWS Signature Version 4 for httpx, with botocore's signer."""

import re
from collections.abc import Generator
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.core.errors import Forbidden

_API_HOST = re.compile(r"\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.")
_DEFAULT_REGION = "us-east-1"


class SigV4(httpx.Auth):
    """Signs requests to API Gateway with the credentials of a boto3 session; `repr` masks them."""

    requires_request_body = True

    def __init__(self, session: Any, region: str) -> None:
        self._session = session
        self._region = region

    def __repr__(self) -> str:
        return f"SigV4(region={self._region!r}, credentials=***)"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature. Each request reads the current credentials, because those of roles are renewed.

        Raises:
            Forbidden: there are no credentials, or they cannot be loaded.
        """
        headers = {"host": request.url.netloc.decode(), "content-type": request.headers.get("content-type", "")}
        unsigned = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={k: v for k, v in headers.items() if v},
        )
        SigV4Auth(self._credentials(), "execute-api", self._region).add_auth(unsigned)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in unsigned.headers:
                request.headers[name] = unsigned.headers[name]
        yield request

    def _credentials(self) -> Any:
        try:
            credentials = self._session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials is not None else None
        except (BotoCoreError, ClientError) as error:
            raise Forbidden(f"the AWS credentials cannot be loaded: {error}") from error
        if frozen is None:
            raise Forbidden("no AWS credentials found; set a profile, a role or AWS_ACCESS_KEY_ID")
        return frozen


def region_of(base_url: str, session: Any) -> str:
    """The region to sign for: the one in the API's host name, else the session's, else us-east-1."""
    match = _API_HOST.search(base_url)
    return match["region"] if match else getattr(session, "region_name", None) or _DEFAULT_REGION
