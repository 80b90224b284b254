"""`agent-memory policy`: print the IAM policy for an agent's role, or for the roles of all agents by their tag."""

import json
from typing import Annotated

import typer

from agent_memory.admin.agent_policy import agent_policy, agent_policy_by_tag, invocation_policy
from agent_memory.cli.options import agent_id
from agent_memory.cli.output import Output


def policy(
    *,
    agent: Annotated[
        str | None, typer.Option(metavar="ID", parser=agent_id, help="The agent's id; or use --by-tag.")
    ] = None,
    by_tag: Annotated[
        bool, typer.Option("--by-tag", help="One policy for all agents: the agent is the role's tag `agent_id`.")
    ] = False,
    api: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="arn:aws:execute-api:REGION:ACCOUNT:API-ID, for its calls over HTTP."),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="arn:aws:lambda:REGION:ACCOUNT:function:NAME, for its direct invocations."),
    ] = None,
    reads: Annotated[list[str] | None, typer.Option(metavar="ID", help="A pool it may read; repeatable.")] = None,
    writes: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A pool it may read and write; repeatable.")
    ] = None,
    output: Output,
) -> int:
    """Print the IAM policy that allows an agent's role to call its own API paths and the memory of its pools.

    With --function it allows direct invocations by the agent's alias of the API's function.
    """
    if (agent is None) is not by_tag:
        raise typer.BadParameter("name an agent, or use --by-tag instead", param_hint="'--agent'")
    if api is None and function is None:
        raise typer.BadParameter("name the API, its function, or both", param_hint="'--api'")
    if function is not None and agent is None:
        raise typer.BadParameter("each agent has an alias of its own; use --agent", param_hint="'--function'")
    pools = {"reads": reads or [], "writes": writes or []}
    documents = []
    if api is not None:
        documents.append(agent_policy_by_tag(api, **pools) if agent is None else agent_policy(api, agent, **pools))
    if function is not None and agent is not None:
        documents.append(invocation_policy(function, agent))
    statements = [statement for document in documents for statement in document["Statement"]]
    document = {**documents[0], "Statement": statements}
    output.show(document, [json.dumps(document, indent=2)])
    return 0
