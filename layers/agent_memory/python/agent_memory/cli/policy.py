"""`agent-memory policy`: print the IAM policy for an agent's role."""

import json
from typing import Annotated

import typer

from agent_memory.admin.agent_policy import agent_policy
from agent_memory.cli.options import Agent


def policy(
    *,
    agent: Agent,
    api: Annotated[str, typer.Option(metavar="ARN", help="arn:aws:execute-api:REGION:ACCOUNT:API-ID")],
    reads: Annotated[list[str] | None, typer.Option(metavar="ID", help="A pool it may read; repeatable.")] = None,
    writes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A pool it may read and write; repeatable.")
    ] = None,
) -> int:
    """Print the IAM policy that allows an agent's role to call its own API paths and the memory of its pools."""
    typer.echo(json.dumps(agent_policy(api, agent, reads=reads or [], writes=writes or []), indent=2))
    return 0
