"""Where a local cloud is found: its endpoint, its cache, its API, and the variables that lead programs there."""

from abc import ABC, abstractmethod

from local import environment
from local.errors import LocalCloudError
from local.session import LocalSession


class Addresses(ABC):
    """The addresses of a cloud into which the stacks are deployed.

    Attributes:
        outputs: the outputs of all deployed stacks by key.
    """

    outputs: dict[str, str]

    @property
    @abstractmethod
    def endpoint_url(self) -> str:
        """The AWS endpoint."""

    @property
    @abstractmethod
    def redis_endpoint(self) -> str:
        """The cache as `host:port`, or as a URL where it has TLS."""

    @property
    @abstractmethod
    def keys(self) -> dict[str, str]:
        """The `access_key` and the `secret_key` of clients."""

    @property
    def api_url(self) -> str:
        """Address of the HTTP API, without a trailing slash: paths such as `/v1/…` are appended."""
        if "ApiId" not in self.outputs:
            raise LocalCloudError("no deployed stack has an output ApiId: deploy first")
        return f"{self.endpoint_url}/_aws/execute-api/{self.outputs['ApiId']}/$default"

    def environment(self) -> dict[str, str]:
        """The variables with which AWS clients use this cloud, and programs find the deployment and its API."""
        variables = environment.of_clients(self.endpoint_url, **self.keys)
        api = {"API_URL": self.api_url} if "ApiId" in self.outputs else {}
        return variables | environment.of_deployment(self.outputs, self.redis_endpoint) | api

    def boto_session(self) -> LocalSession:
        """A boto3 session whose clients use this cloud."""
        return LocalSession(endpoint_url=self.endpoint_url, region=environment.REGION, **self.keys)
