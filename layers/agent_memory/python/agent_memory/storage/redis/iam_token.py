"""IAM authentication to ElastiCache: the password is a signed URL, which is made without a network call.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

from typing import Any
from urllib.parse import urlencode, urlunparse

_TOKEN_SECONDS = 900


class ElastiCacheToken:
    """A `CredentialProvider` for redis-py: the user id and a token that is valid for fifteen minutes."""

    def __init__(self, user_id: str, cache_name: str) -> None:
        self._user_id = user_id
        self._cache_name = cache_name

    def get_credentials(self) -> tuple[str, str]:
        """The user id and a new token; redis-py calls this for every connection."""
        return self._user_id, self._token()

    async def get_credentials_async(self) -> tuple[str, str]:
        """The same for asyncio connections."""
        return self.get_credentials()

    def _token(self) -> str:
        import botocore.session  # noqa: PLC0415  only deployments with IAM authentication need it
        from botocore.model import ServiceId  # noqa: PLC0415
        from botocore.signers import RequestSigner  # noqa: PLC0415

        session: Any = botocore.session.get_session()
        region = session.get_config_variable("region")
        signer = RequestSigner(
            ServiceId("elasticache"),
            region,
            "elasticache",
            "v4",
            session.get_credentials(),
            session.get_component("event_emitter"),
        )
        query = urlencode({"Action": "connect", "User": self._user_id})
        url = urlunparse(("https", self._cache_name, "/", "", query, ""))
        request = {"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}}
        signed = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=_TOKEN_SECONDS, region_name=region
        )
        return str(signed).removeprefix("https://")
