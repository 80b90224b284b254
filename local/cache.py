"""The cache: a Redis or Valkey server if this machine has one, otherwise fakeredis' server."""

import shutil
from pathlib import Path

from local.cache_tls import CacheTls
from local.environment import isolated
from local.errors import ToolMissingError
from local.layout import Layout
from local.packages import python_of
from local.processes import HOST, Service, accepts_connections

_FAKE_SERVER = Path(__file__).with_name("fake_cache.py")


def start_cache(
    layout: Layout, service: Service, port: int, packages: Path, *, detached: bool, tls: CacheTls | None = None
) -> None:
    """Start the cache and wait until it accepts connections.

    Args:
        layout: the local cloud's folders.
        service: the cache.
        port: its port.
        packages: the environment of fakeredis' server.
        detached: whether it outlives this process.
        tls: the files of a cache with TLS and users; None for one without.

    Raises:
        LocalCloudError: it does not start.
    """
    service.start(
        _command(port, packages, tls),
        environment=isolated(layout.scratch, layout.temporary),
        directory=layout.state,
        detached=detached,
    )
    service.wait_until(lambda: accepts_connections(port), seconds=20)


def server_on_path() -> str | None:
    """The Redis or Valkey server on the PATH, or None."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


def _command(port: int, packages: Path, tls: CacheTls | None) -> list[str]:
    server = server_on_path()
    if tls is not None:
        if server is None:
            raise ToolMissingError("a cache with TLS needs redis-server or valkey-server: install one of them")
        return [server, str(tls.configuration(port))]
    if server:
        # Without persistence: a cache may be lost, and both servers behave the same after a restart.
        return [server, "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    return [str(python_of(packages)), "-I", str(_FAKE_SERVER), HOST, str(port)]
