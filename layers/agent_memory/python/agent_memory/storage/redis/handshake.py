"""Two timeouts of a connection to Redis: the longer one while it is opened, the shorter one for its commands.

redis-py has one for TCP (`socket_connect_timeout`), and one for all that follows (`socket_timeout`): TLS, HELLO and
AUTH as well as every command.
"""

from collections.abc import Callable
from typing import Any


class Handshake:
    """redis-py's `redis_connect_func`: opens a connection patiently, then sets the timeout of its commands.

    Args:
        command_seconds: the timeout of commands.
        own: the caller's `redis_connect_func`, which opens the connection instead of redis-py.
    """

    def __init__(self, command_seconds: float | None, own: Callable[[Any], None] | None = None) -> None:
        self._command_seconds = command_seconds
        self.own = own

    def __call__(self, connection: Any) -> None:
        """Send HELLO and AUTH; raises redis-py's errors."""
        patient = connection.socket_timeout
        # The parser, made here, returns to this timeout after each look for data that does not wait.
        connection.socket_timeout = self._command_seconds
        try:
            if self.own is None:
                connection.on_connect()
            else:
                self.own(connection)
        finally:
            connection.socket_timeout = patient  # for the next time that this connection is opened
        connection.update_current_socket_timeout(self._command_seconds)


def with_timeouts(settings: dict[str, Any]) -> dict[str, Any]:
    """Connection settings whose `socket_timeout` is for commands, and while connecting only if it is longer."""
    command, connect = settings["socket_timeout"], settings["socket_connect_timeout"]
    own = settings.get("redis_connect_func")
    if isinstance(own, Handshake):
        own = own.own
    opening = None if command is None or connect is None else max(command, connect)
    return {**settings, "socket_timeout": opening, "redis_connect_func": Handshake(command, own)}


def in_a_cluster(command_seconds: float) -> Callable[[Any], None]:
    """As `Handshake`, for redis-py's cluster client, which calls it after it has opened a connection."""

    def shorten(connection: Any) -> None:
        connection.update_current_socket_timeout(command_seconds)

    return shorten
