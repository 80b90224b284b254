"""IAM authentication to ElastiCache: the password is a signed URL, which is made without a network call.

    rediss://USER@HOST:PORT?iam=REPLICATION_GROUP          the cache that the stacks deploy
    rediss://USER@HOST:PORT?iam_serverless=CACHE           ElastiCache Serverless

The caller's role needs `elasticache:Connect` on the cache and on the user. The region is that of the AWS settings.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

from typing import Any
from urllib.parse import urlencode, urlunparse

_TOKEN_SECONDS = 900


class ElastiCacheToken:
    """A `CredentialProvider` for redis-py: the user id and a token that is valid for fifteen minutes."""

    def __init__(self, user_id: str, cache_name: str, *, serverless: bool = False) -> None:
        self._user_id = user_id
        self._cache_name = cache_name
        self._serverless = serverless

    def get_credentials(self) -> tuple[str, str]:
        """The user id and a new token; redis-py calls this for every connection.

        Raises:
            AuthenticationError: of redis-py; the AWS settings have no region or no credentials.
        """
        return self._user_id, self._token()

    async def get_credentials_async(self) -> tuple[str, str]:
        """The same for asyncio connections."""
        return self.get_credentials()

    def _token(self) -> str:
        import botocore.session  # noqa: PLC0415  only deployments with IAM authentication need it
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from redis.exceptions import AuthenticationError  # noqa: PLC0415

        session: Any = botocore.session.get_session()
        try:
            region = session.get_config_variable("region")
            credentials = session.get_credentials()
            if not region or not credentials:
                missing = "a region; set AWS_DEFAULT_REGION" if not region else "AWS credentials"
                raise AuthenticationError(f"a token for ElastiCache cannot be signed without {missing}")
            return self._signed(session, region, credentials)
        except BotoCoreError as error:
            raise AuthenticationError(f"a token for ElastiCache cannot be signed: {error}") from error

    def _signed(self, session: Any, region: str, credentials: Any) -> str:
        from botocore.model import ServiceId  # noqa: PLC0415  as above
        from botocore.signers import RequestSigner  # noqa: PLC0415

        signer = RequestSigner(
            ServiceId("elasticache"),
            region,
            "elasticache",
            "v4",
            credentials,
            session.get_component("event_emitter"),
        )
        kind = {"ResourceType": "ServerlessCache"} if self._serverless else {}
        query = urlencode({"Action": "connect", "User": self._user_id, **kind})
        url = urlunparse(("https", self._cache_name, "/", "", query, ""))
        request = {"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}}
        signed = signer.generate_presigned_url(
            request, operation_name="connect", expires_in=_TOKEN_SECONDS, region_name=region
        )
        return str(signed).removeprefix("https://")
