"""The IAM policy for an agent's role: its own paths of the HTTP API, and the memory of its pools.

IAM matches the text `{api}/{stage}/{method}/{path}` with wildcards that also span slashes. Each permitted resource
therefore names the method and the path from its beginning, and paths that a server could read as another agent's are
denied whatever permits them. The function checks the path again when it serves it (`agent_memory.api.entry`).
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import alias_of, check_agent_id, check_pools

METHODS = ("DELETE", "GET", "POST", "PUT")
"""The methods of the API's routes."""

AGENT_TAG = "agent_id"
"""The tag of a role or a session that holds the agent's id, for `agent_policy_by_tag`."""

MAX_POLICY_CHARACTERS = 6_144
"""IAM's limit on a managed policy, without white space."""

_API_ARN = re.compile(
    r"arn:(?P<partition>aws(-[a-z]+)*):execute-api:(?P<region>[a-z]+(-[a-z0-9]+)+):[0-9]{12}:[a-z0-9]+\Z"
)
_FUNCTION_ARN = re.compile(r"arn:aws(-[a-z]+)*:lambda:[a-z]+(-[a-z0-9]+)+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}\Z")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
# Dot segments and separators, plain or encoded, and escapes that become others when they are decoded twice. No name in
# a path contains them: a slash is written ~1.
_AMBIGUOUS = (
    *("/../*", "/..", "/./*", "\\*", ";*", "%%*", "%?%*"),
    *(f"%{code}*" for code in ("25", "2e", "2E", "2f", "2F", "3b", "3B", "5c", "5C")),
)


def agent_policy(
    api_arn: str, agent_id: str, *, reads: Sequence[str] = (), writes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the policy document for the role of one agent.

    Args:
        api_arn: of the API, `arn:aws:execute-api:{region}:{account}:{api id}`.
        agent_id: the agent, which may call everything below its own path.
        reads: pools whose memory it may read.
        writes: pools whose memory it may read and write.

    Raises:
        InvalidInput: names the argument; or the pools are more than fit into one policy.
    """
    return _policy(api_arn, check_agent_id(agent_id), {}, reads, writes)


def agent_policy_by_tag(api_arn: str, *, reads: Sequence[str] = (), writes: Sequence[str] = ()) -> dict[str, Any]:
    """Return one policy document for the roles of all agents: the agent is the tag `agent_id` of the caller.

    Who can set that tag, on a role, a user or a session, decides which agent it is. A caller without the tag, or with a
    tag that is not one segment of a path, may call nothing of an agent's own.

    Args:
        api_arn: of the API, `arn:aws:execute-api:{region}:{account}:{api id}`.
        reads: pools whose memory every such agent may read.
        writes: pools whose memory every such agent may read and write.

    Raises:
        InvalidInput: names the argument; or the pools are more than fit into one policy.
    """
    tag = f"aws:PrincipalTag/{AGENT_TAG}"
    condition = {"Null": {tag: "false"}, "StringNotLike": {tag: ["", "*/*"]}}
    return _policy(api_arn, f"${{{tag}}}", {"Condition": condition}, reads, writes)


def invocation_policy(function_arn: str, agent_id: str) -> dict[str, Any]:
    """Return the policy document for the role of an agent that invokes the API's function directly.

    It names the agent's alias of the function, which tells the function who invokes it: IAM has no condition on what an
    invocation contains. The alias has to exist, see `core.ids.alias_of`.

    Args:
        function_arn: of the API's function, without an alias.
        agent_id: the agent.

    Raises:
        InvalidInput: names the argument.
    """
    if not _FUNCTION_ARN.match(function_arn):
        raise InvalidInput(
            "function_arn",
            f"{function_arn!r:.120} is not arn:aws:lambda:region:account:function:name, without an alias",
        )
    statement = {
        "Sid": "OwnAlias",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": f"{function_arn}:{alias_of(agent_id)}",
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _policy(
    api_arn: str, agent: str, condition: dict[str, Any], reads: Sequence[str], writes: Sequence[str]
) -> dict[str, Any]:
    _check_arn(api_arn)
    allowed = {
        "OwnPaths": [f"{method}/v1/agents/{agent}/*" for method in METHODS],
        "ReadPools": [f"GET/v1/agents/{pool}/memory/*" for pool in check_pools(reads)],
        "WritePools": [f"{method}/v1/agents/{pool}/memory/*" for pool in check_pools(writes) for method in METHODS],
    }
    statements = [
        _statement(name, "Allow", (f"{api_arn}/$default/{path}" for path in paths))
        | (condition if name == "OwnPaths" else {})
        for name, paths in allowed.items()
        if paths
    ]
    statements.append(_statement("AmbiguousPaths", "Deny", (f"{api_arn}/*{part}" for part in _AMBIGUOUS)))
    policy = {"Version": "2012-10-17", "Statement": statements}
    size = len(json.dumps(policy, separators=(",", ":")))
    if size > MAX_POLICY_CHARACTERS:
        raise InvalidInput(
            "pools",
            f"the policy would have {size:,} characters, and IAM allows {MAX_POLICY_CHARACTERS:,}; distribute the "
            "pools over several policies for the same role",
        )
    return policy


def _statement(name: str, effect: str, resources: Iterable[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": effect, "Action": "execute-api:Invoke", "Resource": list(resources)}


def _check_arn(api_arn: str) -> None:
    match = _API_ARN.match(api_arn)
    if not match:
        raise InvalidInput("api_arn", f"{api_arn!r:.120} is not arn:aws:execute-api:region:account:api")
    region = match["region"]
    expected = next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), None)
    if match["partition"] != expected and (expected or match["partition"] in _PARTITIONS.values()):
        raise InvalidInput("api_arn", f"{api_arn!r:.120}: {region} is in the partition {expected or 'aws'}")
