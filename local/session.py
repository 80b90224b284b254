"""A boto3 session whose clients speak to the local cloud."""

from typing import Any

import boto3
from botocore.config import Config

# A proxy of the user's must never see a loopback address.
_NO_PROXY = Config(proxies={})


class LocalSession(boto3.Session):
    """A session with an endpoint of its own: clients and resources are made as of any session."""

    def __init__(self, *, endpoint_url: str, access_key: str, secret_key: str, region: str) -> None:
        super().__init__(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region)
        self._endpoint_url = endpoint_url

    def client(self, *arguments: Any, **settings: Any) -> Any:
        """Make a client, as `boto3.Session.client` does."""
        return super().client(*arguments, **self._local(settings))

    def resource(self, *arguments: Any, **settings: Any) -> Any:
        """Make a resource, as `boto3.Session.resource` does."""
        return super().resource(*arguments, **self._local(settings))

    def _local(self, settings: dict[str, Any]) -> dict[str, Any]:
        config = settings.get("config")
        merged = _NO_PROXY.merge(config) if config else _NO_PROXY
        return {"endpoint_url": self._endpoint_url, **settings, "config": merged}
