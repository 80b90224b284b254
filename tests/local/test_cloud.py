"""The local cloud with a tiny app: it deploys, verifies signatures, keeps its state, and has commands."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from agent_memory.storage.schema import TABLES
from local import LocalCloud, LocalCloudError
from local.layout import Layout
from local.processes import HOST, choose_port

ROOT = Path(__file__).resolve().parents[2]
APP = Path(__file__).with_name("tiny_app") / "app.py"

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(Layout(state=tmp_path_factory.mktemp("cloud") / "state"), app=APP) as cloud:
        yield cloud


def request(cloud: LocalCloud, key: str | None = None, secret: str | None = None) -> httpx.Response:
    signed = AWSRequest("POST", f"{cloud.api_url}/v1/hello", data=b"{}")
    if key and secret:
        SigV4Auth(Credentials(key, secret), "execute-api", "us-east-1").add_auth(signed)
    return httpx.post(signed.url, content=b"{}", headers=dict(signed.headers), trust_env=False)


def run(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments, "--state", str(state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_signed_request_reaches_the_function_and_its_layer(deployed: LocalCloud) -> None:
    keys = deployed.environment()
    answer = request(deployed, keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "greeting": "hello from the layer",
        "caller": "arn:aws:iam::000000000000:user/local-developer",
    }
    table = deployed.boto_session().resource("dynamodb").Table(TABLES[0].full_name("tiny"))
    assert table.get_item(Key={"pk": "from", "sk": "function"})["Item"] == {"pk": "from", "sk": "function"}
    stored = deployed.boto_session().client("s3").get_object(Bucket=deployed.outputs["BucketName"], Key="decisions/one")
    assert stored["Body"].read() == b"1"


def test_unsigned_and_wrongly_signed_requests_are_refused(deployed: LocalCloud) -> None:
    key = deployed.environment()["AWS_ACCESS_KEY_ID"]
    assert request(deployed).status_code == 403
    assert request(deployed, key, "a-wrong-secret").status_code == 403
    assert request(deployed, "AKIAIOSFODNN7EXAMPLE", "a-wrong-secret").status_code == 403


def test_the_app_gets_its_profile_and_the_cache(deployed: LocalCloud) -> None:
    assert deployed.outputs["Profile"] == "local"
    assert deployed.outputs["RedisEndpoint"] == deployed.redis_endpoint
    cache = redis.Redis(HOST, int(deployed.redis_endpoint.rpartition(":")[2]), decode_responses=True)
    cache.set("stm:{agent}:key", "value", ex=60)
    assert cache.get("stm:{agent}:key") == "value"
    assert 0 < cache.ttl("stm:{agent}:key") <= 60
    cache.close()


def test_what_the_emulator_ignores_is_set_after_the_deployment(deployed: LocalCloud) -> None:
    session = deployed.boto_session()
    for table in TABLES:
        described = session.client("dynamodb").describe_time_to_live(TableName=table.full_name("tiny"))
        assert described["TimeToLiveDescription"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    (rule,) = session.client("s3").get_bucket_lifecycle_configuration(Bucket=deployed.outputs["BucketName"])["Rules"]
    assert rule == {
        "ID": "cold",
        "Status": "Enabled",
        "Filter": {"Prefix": "decisions/"},
        "Expiration": {"Days": 2555},
        "Transitions": [{"Days": 365, "StorageClass": "GLACIER"}],
    }


def test_one_process_at_a_time_uses_a_cloud(deployed: LocalCloud) -> None:
    with pytest.raises(LocalCloudError, match=f"in use by process {os.getpid()}"):
        LocalCloud(deployed.layout).start()
    assert deployed.running


def test_an_unchanged_app_is_not_deployed_again(deployed: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    monkeypatch.setattr(deployed, "_step", steps.append)
    deployed.deploy()
    assert "The stacks are deployed already" in steps


def test_state_survives_a_restart(tmp_path: Path) -> None:
    layout = Layout(state=tmp_path / "state")
    cloud = LocalCloud(layout).start()
    endpoint, keys = cloud.endpoint_url, cloud.environment()
    cloud.boto_session().client("ssm").put_parameter(Name="/kept", Value="yes", Type="String")
    cloud.stop()
    assert not cloud.running

    again = LocalCloud(layout).start()
    try:
        assert (again.endpoint_url, again.environment()) == (endpoint, keys)
        assert again.boto_session().client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "yes"
    finally:
        again.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_state_is_written_even_when_the_owner_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys, time; from pathlib import Path; from local import LocalCloud; from local.layout import Layout\n"
        "cloud = LocalCloud(Layout(state=Path(sys.argv[1]))).start()\n"
        "cloud.boto_session().client('ssm').put_parameter(Name='/kept', Value='yes', Type='String')\n"
        "print('ready', flush=True)\n"
        "try: time.sleep(600)\n"
        "finally: cloud.stop()"
    )
    state = tmp_path / "state"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(state)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"ready\n"
        owner.send_signal(number)
    # Immediately: a start waits for services that are still stopping.
    cloud = LocalCloud(Layout(state=state)).start()
    try:
        assert cloud.boto_session().client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "yes"
    finally:
        cloud.stop()


def test_a_detached_cloud_is_used_left_running_and_then_stopped_and_reset_by_commands(tmp_path: Path) -> None:
    state = tmp_path / "state"
    detached = LocalCloud(Layout(state=state), detached=True).start()
    detached.stop()
    assert detached.running

    user = LocalCloud(Layout(state=state)).start()
    assert user.emulator.process_id == detached.emulator.process_id
    user.stop()

    result = run(state, "status")
    assert (result.returncode, detached.endpoint_url in result.stderr) == (0, True)
    assert f"export AWS_ENDPOINT_URL={detached.endpoint_url}" in result.stdout
    assert run(state, "down").returncode == 0
    assert not detached.running
    assert run(state, "status").returncode == 3
    assert run(state, "reset", "--yes").returncode == 0
    assert not state.exists()


def test_the_status_of_a_deployed_cloud_has_the_address_of_its_api(deployed: LocalCloud) -> None:
    result = run(deployed.layout.state, "status")
    assert result.returncode == 0
    assert f"HTTP API      {deployed.api_url}" in result.stderr
    assert f"export API_URL='{deployed.api_url}'" in result.stdout


def test_a_taken_port_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    port = choose_port(None, None, what="a test")
    with socket.create_server((HOST, port)):
        result = run(tmp_path / "state", "up", "--port", str(port))
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert f"port {port} for the AWS endpoint is in use" in result.stderr
