"""Environment variables: those of this machine's cloud instead of those of a real one."""

import os
from collections.abc import Mapping
from pathlib import Path

from local.processes import HOST

REGION = "us-east-1"
ACCOUNT = "000000000000"
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


def isolated(home: Path, temporary: Path) -> dict[str, str]:
    """The least that a child process needs, and nothing of AWS: no key or profile of the user reaches it."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # No Docker either: the emulator would look for containers of its own and end them.
    no_docker = {"DOCKER_HOST": f"unix://{home}/no-docker.sock"}
    return kept | no_docker | {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}


def of_clients(endpoint_url: str, access_key: str, secret_key: str) -> dict[str, str]:
    """What an AWS client needs to speak to the local cloud, and to nothing else."""
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
    """What a program needs to find the product's tables, bucket and cache."""
    named = {"AGENT_MEMORY_TABLE_PREFIX": "TablePrefix", "AGENT_MEMORY_ARCHIVE_BUCKET": "ArchiveBucketName"}
    found = {variable: outputs[output] for variable, output in named.items() if output in outputs}
    return found | {"AGENT_MEMORY_REDIS_ENDPOINT": redis_endpoint, "REDIS_ENDPOINT": redis_endpoint}


def _without_proxy(environment: Mapping[str, str]) -> str:
    names = [name for name in environment.get("NO_PROXY", environment.get("no_proxy", "")).split(",") if name]
    return ",".join(dict.fromkeys([*names, HOST, "localhost"]))
