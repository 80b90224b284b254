"""`agent-memory mcp`: serve one agent's memory to a model client."""

from ipaddress import ip_address
from typing import Annotated

import typer

from agent_memory.cli.options import Agent, Pools, StoreOptions
from agent_memory.core.errors import InvalidInput
from agent_memory.core.extras import needs_extra


def mcp(
    *,
    agent: Agent,
    where: StoreOptions,
    pools: Pools,
    read_only: Annotated[bool, typer.Option("--read-only", help="Leave out the tools that write.")] = False,
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP at /mcp instead of stdio.")] = False,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="The address to listen on, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on, with --http.")] = 8000,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy authenticates callers, so that other addresses are allowed."),
    ] = False,
) -> int:
    """Serve one agent's decision log and memory by the Model Context Protocol, on stdio or HTTP.

    The agent and its rights are those of this command; no tool has an argument for them. It is a server: what it writes
    is the protocol, so that it has no --json.

    Exit code: 0 the client has left, 2 the store cannot be opened.
    """
    with needs_extra("mcp"):
        from agent_memory.cli.mcp_server.server import agent_server  # noqa: PLC0415  an extra
    from agent_memory.client.tools.access import open_access  # noqa: PLC0415  with the server

    if http and not behind_proxy and not _is_loopback(host):
        raise InvalidInput(
            "--host", f"{host} is reachable by others, whom this server does not authenticate; see --behind-proxy"
        )
    stores = where.connection(creates=not read_only)
    server = agent_server(open_access(agent, stores, pools=pools.names, read_only=read_only))
    if http:
        # Without sessions, a server that was restarted knows its clients.
        server.run("streamable-http", host=host, port=port, stateless_http=True)
    else:
        server.run("stdio")
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
