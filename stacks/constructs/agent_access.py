"""What an agent's role may call: its own paths of the HTTP API, and the memory of the pools it is given."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam

from agent_memory.keys import check_agent_id


def agent_statements(
    api_arn: str, agent_id: str, *, reads: Sequence[str] = (), writes: Sequence[str] = ()
) -> list[iam.PolicyStatement]:
    """The statements of one agent's policy.

    Args:
        api_arn: of the API, `arn:aws:execute-api:{region}:{account}:{api id}`.
        agent_id: everything below its own path is allowed.
        reads: pools whose memory it may read.
        writes: pools whose memory it may read and write.

    Raises:
        InvalidInput: an id that is none.
    """
    own = f"{api_arn}/$default/*/v1/agents/{check_agent_id(agent_id)}/*"
    readable = [f"{api_arn}/$default/GET/v1/agents/{check_agent_id(pool)}/memory/*" for pool in reads]
    writable = [f"{api_arn}/$default/*/v1/agents/{check_agent_id(pool)}/memory/*" for pool in writes]
    return [iam.PolicyStatement(actions=["execute-api:Invoke"], resources=[own, *readable, *writable])]
