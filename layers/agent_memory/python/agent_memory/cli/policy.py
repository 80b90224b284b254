"""`agent-memory policy`: print the IAM policy for an agent's role, or for the roles of all agents by their tag."""

import json
from typing import Annotated

import typer

from agent_memory.admin.agent_policy import agent_policy, agent_policy_by_tag
from agent_memory.cli.options import agent_id


def policy(
    *,
    agent: Annotated[
        str | None, typer.Option(metavar="ID", parser=agent_id, help="The agent's id; or use --by-tag.")
    ] = None,
    by_tag: Annotated[
        bool, typer.Option("--by-tag", help="One policy for all agents: the agent is the role's tag `agent_id`.")
    ] = False,
    api: Annotated[str, typer.Option(metavar="ARN", help="arn:aws:execute-api:REGION:ACCOUNT:API-ID")],
    reads: Annotated[list[str] | None, typer.Option(metavar="ID", help="A pool it may read; repeatable.")] = None,
    writes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A pool it may read and write; repeatable.")
    ] = None,
) -> int:
    """Print the IAM policy that allows an agent's role to call its own API paths and the memory of its pools."""
    if (agent is None) is not by_tag:
        raise typer.BadParameter("name an agent, or use --by-tag instead", param_hint="'--agent'")
    reads, writes = reads or [], writes or []
    document = (
        agent_policy_by_tag(api, reads=reads, writes=writes)
        if agent is None
        else agent_policy(api, agent, reads=reads, writes=writes)
    )
    typer.echo(json.dumps(document, indent=2))
    return 0
