"""The IAM policy for an agent's role: its own paths of the HTTP API, and the memory of its pools."""

import re
from collections.abc import Sequence
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import check_agent_id, check_pools

_API_ARN = re.compile(r"arn:aws[a-z-]*:execute-api:[a-z0-9-]+:\d{12}:[a-z0-9]+\Z")


def agent_policy(
    api_arn: str, agent_id: str, *, reads: Sequence[str] = (), writes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the policy document.

    Args:
        api_arn: of the API, `arn:aws:execute-api:{region}:{account}:{api id}`.
        agent_id: the agent, which may call everything below its own path.
        reads: pools whose memory it may read.
        writes: pools whose memory it may read and write.

    Raises:
        InvalidInput: names the argument.
    """
    if not _API_ARN.match(api_arn):
        raise InvalidInput("api_arn", f"{api_arn!r:.120} is not arn:aws:execute-api:region:account:api")
    paths = {
        "OwnPaths": [f"*/v1/agents/{check_agent_id(agent_id)}/*"],
        "ReadPools": [f"GET/v1/agents/{pool}/memory/*" for pool in check_pools(reads)],
        "WritePools": [f"*/v1/agents/{pool}/memory/*" for pool in check_pools(writes)],
    }
    statements = [
        {
            "Sid": name,
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": [f"{api_arn}/$default/{path}" for path in found],
        }
        for name, found in paths.items()
        if found
    ]
    return {"Version": "2012-10-17", "Statement": statements}
