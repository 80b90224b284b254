"""The AWS emulator (MiniStack) as a child process, and the access key of its clients."""

import http.client
import json
from pathlib import Path
from typing import Any

from local.environment import ACCOUNT, REGION, isolated
from local.layout import Layout
from local.packages import python_of
from local.processes import HOST, Service
from local.session import LocalSession

# For the emulator, an access key of twelve digits is the root of that account: it is allowed everything, and its
# signature is not verified. It creates the user whose signatures are verified, and deploys, since the policy of the
# toolkit's bucket refuses requests without TLS from everybody else.
ROOT_KEYS = {"access_key": ACCOUNT, "secret_key": "unchecked"}
_USER = "local-developer"
_ALLOW_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_MAIN = Path(__file__).with_name("emulator_main.py")


def start_emulator(
    layout: Layout, service: Service, port: int, cache_port: int, packages: Path, *, detached: bool
) -> None:
    """Start the emulator with the state of its last clean shutdown, and wait until it responds.

    Raises:
        LocalCloudError: it does not start.
    """
    service.start(
        [str(python_of(packages)), "-I", str(_MAIN)],
        environment=_environment(layout, port, cache_port),
        directory=layout.scratch,
        detached=detached,
    )
    service.wait_until(lambda: is_healthy(port), seconds=60)


def is_healthy(port: int) -> bool:
    """Whether the emulator responds on this port."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ensure_access_key(endpoint_url: str, known: dict[str, str] | None) -> dict[str, str]:
    """Return an access key of the local user, who is allowed everything: the known one if it is valid, or a new one.

    Returns:
        `access_key` and `secret_key`.
    """
    iam = LocalSession(endpoint_url=endpoint_url, region=REGION, **ROOT_KEYS).client("iam")
    present = [user["UserName"] for user in iam.list_users()["Users"]]
    if _USER not in present:
        iam.create_user(UserName=_USER)
    iam.put_user_policy(UserName=_USER, PolicyName="everything", PolicyDocument=json.dumps(_ALLOW_ALL))
    keys = [key["AccessKeyId"] for key in iam.list_access_keys(UserName=_USER)["AccessKeyMetadata"]]
    if known and known["access_key"] in keys:
        return known
    for key in keys:
        iam.delete_access_key(UserName=_USER, AccessKeyId=key)
    created: dict[str, Any] = iam.create_access_key(UserName=_USER)["AccessKey"]
    return {"access_key": created["AccessKeyId"], "secret_key": created["SecretAccessKey"]}


def _environment(layout: Layout, port: int, cache_port: int) -> dict[str, str]:
    return isolated(layout.scratch, layout.temporary) | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "REDIS_HOST": HOST,
        "REDIS_PORT": str(cache_port),
        "STATE_DIR": str(layout.state / "emulator"),
        "S3_DATA_DIR": str(layout.state / "s3"),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "LAMBDA_EXECUTOR": "local",
    }
