"""A boto3 session whose clients use the local cloud."""

from typing import Any

import boto3
from botocore.config import Config

# Requests to this machine must not go through the user's proxy.
_NO_PROXY = Config(proxies={})


class LocalSession(boto3.Session):
    """A session whose clients and resources have the local cloud's endpoint."""

    def __init__(self, *, endpoint_url: str, access_key: str, secret_key: str, region: str) -> None:
        super().__init__(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region)
        self._endpoint_url = endpoint_url

    def client(self, *arguments: Any, **settings: Any) -> Any:
        """Create a client, as `boto3.Session.client` does."""
        return super().client(*arguments, **self._local(settings))

    def resource(self, *arguments: Any, **settings: Any) -> Any:
        """Create a resource, as `boto3.Session.resource` does."""
        return super().resource(*arguments, **self._local(settings))

    def _local(self, settings: dict[str, Any]) -> dict[str, Any]:
        config = settings.get("config")
        merged = _NO_PROXY.merge(config) if config else _NO_PROXY
        return {"endpoint_url": self._endpoint_url, **settings, "config": merged}
