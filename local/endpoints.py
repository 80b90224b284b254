"""The endpoint of an AWS emulator that already runs, as the environment names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from botocore.loaders import Loader

from local.errors import EndpointError
from local.processes import HOST

_LOCALSTACK_PORT = 4566  # what clients of LocalStack take where nothing else is set
_LOOPBACK = frozenset({HOST, "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address of an emulator, as `http://host:port`, and the variable that named it."""

    url: str
    variable: str

    @property
    def host_and_port(self) -> tuple[str, int]:
        """Host name and port, that of the scheme if the address has none."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme]

    def is_port_of_this_machine(self, port: int | None) -> bool:
        """Whether this is the given port on the loopback interface."""
        host, own = self.host_and_port
        return host in _LOOPBACK and own == port


def requested_endpoint(variables: Mapping[str, str]) -> Endpoint | None:
    """The endpoint that `AWS_ENDPOINT_URL` names, else `LOCALSTACK_HOST`, `EDGE_PORT` and `USE_SSL`; None without them.

    `LOCALSTACK_HOST` is `host` or `host:port`, as for `localstack-client`; an empty variable is not set.

    Raises:
        EndpointError: it is not the address of a server, or it is that of AWS itself.
    """
    if url := variables.get("AWS_ENDPOINT_URL", "").strip():
        return _checked(url, "AWS_ENDPOINT_URL")
    host, port = (variables.get(name, "").strip() for name in ("LOCALSTACK_HOST", "EDGE_PORT"))
    if not host and not port:
        return None
    scheme = "https" if variables.get("USE_SSL", "").strip().lower() in {"1", "true"} else "http"
    name, found_port = _split(host or "localhost")
    variable = "LOCALSTACK_HOST" if host else "EDGE_PORT"
    return _checked(f"{scheme}://{name}:{found_port or port or _LOCALSTACK_PORT}", variable)


def _split(host: str) -> tuple[str, str]:
    """Host and port; only what follows the last colon outside of brackets is a port."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and not port.endswith("]") else (host, "")


def _checked(url: str, variable: str) -> Endpoint:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    is_server = parts.scheme in {"http", "https"} and host and port != 0
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if not is_server or extra or any(character.isspace() for character in url):
        raise EndpointError(
            f"{variable} is {url!r}: write it as http://host:port, or unset it to start an emulator here"
        )
    if _is_aws(str(host)):
        raise EndpointError(
            f"{variable} is {url!r}, an endpoint of AWS itself: `make local-up` deploys into emulators only. "
            'Unset it; into an account the stacks are deployed by `make cdk ARGS="deploy --all"`'
        )
    return Endpoint(url.rstrip("/"), variable)


def _is_aws(host: str) -> bool:
    name = host.rstrip(".").lower()
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in _suffixes_of_aws())


@cache
def _suffixes_of_aws() -> frozenset[str]:
    """The domains of the endpoints of every partition that botocore knows, as `amazonaws.com` and `api.aws`."""
    partitions = Loader().load_data("partitions")["partitions"]
    names = ("dnsSuffix", "dualStackDnsSuffix")
    return frozenset(partition["outputs"][name] for partition in partitions for name in names) | {"amazonaws.com"}
