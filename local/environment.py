"""Environment variables of the local cloud's processes and clients."""

import os
from collections.abc import Mapping
from pathlib import Path

from local.processes import HOST

REGION = "us-east-1"
ACCOUNT = "000000000000"
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


def isolated(home: Path, temporary: Path) -> dict[str, str]:
    """The variables that a child process needs, without any of AWS: no key or profile of the user reaches it."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # No Docker either: the emulator would look for its own containers and stop them.
    no_docker = {"DOCKER_HOST": f"unix://{home}/no-docker.sock"}
    return inherited | no_docker | {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}


def of_clients(endpoint_url: str, access_key: str, secret_key: str) -> dict[str, str]:
    """The variables with which an AWS client uses the local cloud and nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": _without_proxy(os.environ),
    }


def of_deployment(outputs: Mapping[str, str], redis_endpoint: str) -> dict[str, str]:
    """The variables with which a program finds the product's tables, bucket and cache."""
    named = {"AGENT_MEMORY_TABLE_PREFIX": "TablePrefix", "AGENT_MEMORY_ARCHIVE_BUCKET": "ArchiveBucketName"}
    found = {variable: outputs[output] for variable, output in named.items() if output in outputs}
    return found | {"AGENT_MEMORY_REDIS_ENDPOINT": redis_endpoint, "REDIS_ENDPOINT": redis_endpoint}


def _without_proxy(environment: Mapping[str, str]) -> str:
    names = [name for name in environment.get("NO_PROXY", environment.get("no_proxy", "")).split(",") if name]
    return ",".join(dict.fromkeys([*names, HOST, "localhost"]))
