"""Emulators that something else started: moto's server, and a MiniStack with an environment of its own."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import LocalCloud
from local.capabilities import Functions
from local.emulator import is_healthy
from local.endpoints import Endpoint
from local.environment import isolated
from local.layout import Layout
from local.packages import ensure_environment, python_of
from local.processes import HOST, Tools, accepts_connections, choose_port
from local.running_emulator import RunningEmulator, layout_of

ROOT = Path(__file__).resolve().parents[2]
TINY_APP = Path(__file__).with_name("tiny_app") / "app.py"
NAMED = ("AWS_ENDPOINT_URL", "LOCALSTACK_HOST", "EDGE_PORT", "USE_SSL")

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]


@contextmanager
def process(command: list[str], environment: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen]:
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield started
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(60)


def wait_until(ready, started: subprocess.Popen, folder: Path) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert started.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def moto(tmp_path_factory) -> Iterator[tuple[Endpoint, subprocess.Popen]]:
    """moto's server: it has CloudFormation, and runs functions only where there is Docker."""
    folder, port = tmp_path_factory.mktemp("moto"), choose_port(None, None, what="a test")
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", HOST, "-p", str(port)]
    with process(command, isolated(folder, folder), folder) as started:
        wait_until(lambda: accepts_connections(port), started, folder)
        yield Endpoint(f"http://{HOST}:{port}", "AWS_ENDPOINT_URL"), started


@pytest.fixture(scope="module")
def ministack(tmp_path_factory) -> Iterator[tuple[int, subprocess.Popen]]:
    """A MiniStack that this project's tool did not start, with its defaults: without persistence or signatures."""
    folder, port = tmp_path_factory.mktemp("ministack"), choose_port(None, None, what="a test")
    lock, log = ROOT / "requirements-local.txt", folder / "pip.log"
    python = python_of(ensure_environment(Tools(), lock, Layout().packages, log))
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
    }
    with process([str(python), "-m", "ministack"], isolated(folder, folder) | settings, folder) as started:
        wait_until(lambda: is_healthy(port), started, folder)
        yield port, started


def local(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in NAMED}
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env=inherited | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def exported(output: str) -> dict[str, str]:
    """The variables that `eval "$(make -s local-up)"` sets."""
    words = [shlex.split(line)[1] for line in output.splitlines() if line.startswith("export ")]
    return dict(word.split("=", 1) for word in words)


PROGRAM = """
from agent_memory import DecisionLogger, MemoryManager
log, memory = DecisionLogger("hunter").sync, MemoryManager("hunter").sync
logged = log.log_decision("QUERY", {"market": {"trend": "up"}}, {"selected": ["whales"]})
log.log_outcome(logged, {"profit": 3}, success=True)
memory.store_ltm("PATTERN", "pump", {"text": "volume pumps", "confidence": 0.8})
memory.store_stm("insight", {"n": 1}, ttl_seconds=60)
found = log.get_decision(logged)
print(found["success"], memory.retrieve_stm("insight"), memory.recall("pump", kind="PATTERN")[0]["memory"]["text"])
"""


def run_agent(program: str, variables: Mapping[str, str]) -> str:
    environment = {"PATH": os.environ["PATH"], **variables}
    command = [sys.executable, "-W", "ignore", "-c", program]
    completed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.fixture(scope="module")
def in_moto(moto, tmp_path_factory) -> Iterator[RunningEmulator]:
    endpoint, _ = moto
    emulator = RunningEmulator(endpoint, Layout(state=tmp_path_factory.mktemp("cloud") / "state"), app=TINY_APP).up()
    yield emulator
    emulator.down()


def test_what_moto_lacks_is_said_by_name(in_moto: RunningEmulator) -> None:
    lacks = "\n".join(in_moto.lacks)
    assert "Lambda: functions do not run: error running docker" in lacks
    assert "stack tiny: left out, since functions do not run" in lacks
    assert "tables: created through DynamoDB itself: tiny-agent_decisions" in lacks
    assert "archive: created through S3 itself: tiny-archive-local" in lacks
    assert all("\n" not in line for line in in_moto.lacks)


def test_agents_and_the_command_use_the_tables_in_moto(in_moto: RunningEmulator, tmp_path: Path) -> None:
    assert run_agent(PROGRAM, in_moto.environment()).split() == ["True", "{'n':", "1}", "volume", "pumps"]
    file = tmp_path / "hunter.zip"
    command = [Path(sys.executable).with_name("agent-memory"), "export", "--agent", "hunter", file]
    environment = {"PATH": os.environ["PATH"], **in_moto.environment()}
    exported = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert exported.returncode == 0, exported.stderr
    with zipfile.ZipFile(file) as archive:
        assert any(b"whales" in archive.read(name) for name in archive.namelist())


def test_a_second_deployment_changes_nothing(in_moto: RunningEmulator) -> None:
    again = RunningEmulator(in_moto.endpoint, in_moto.layout, app=TINY_APP).up()
    assert again.outputs == in_moto.outputs
    assert not any("created through" in line for line in again.lacks)
    assert RunningEmulator(in_moto.endpoint, in_moto.layout).environment() == in_moto.environment()


def test_the_stacks_run_in_a_ministack_that_something_else_started(ministack, tmp_path: Path) -> None:
    port, started = ministack
    state = ["--state", str(tmp_path / "state")]
    named = {"LOCALSTACK_HOST": f"localhost:{port}"}
    up = local("up", *state, **named)
    assert up.returncode == 0, up.stderr
    assert "Deploying 6 of 6 stacks" in up.stderr
    assert "! " not in up.stderr, "nothing that the stacks need is missing"
    variables = exported(up.stdout)
    assert variables["API_URL"].startswith(f"http://localhost:{port}/_aws/execute-api/")
    over_http = """
import asyncio, os
from agent_memory import AgentMemoryClient
async def main():
    async with AgentMemoryClient(os.environ["API_URL"], "hunter") as client:
        decision = await client.log_decision("QUERY", {"n": 1}, {})
        print((await client.get_decision(decision))["decision_type"])
asyncio.run(main())
"""
    assert run_agent(over_http, variables) == "QUERY\n"
    assert local("status", *state, **named).stdout == up.stdout
    down = local("down", *state, **named)
    assert (down.returncode, started.poll()) == (0, None)
    assert "was not started here: it goes on" in down.stderr
    assert is_healthy(port)
    assert local("reset", "--yes", *state, **named).returncode == 2
    assert local("up", "--port", "1", *state, **named).returncode == 2


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that is no emulator; an empty answer closes the connection."""
    program = (
        "import socket, sys\n"
        "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "while True:\n"
        "    connection, _ = server.accept()\n"
        "    connection.recv(65536)\n"
        f"    connection.sendall({answer!r})\n"
        "    connection.close()\n"
    )
    port = choose_port(None, None, what="a test")
    with subprocess.Popen([sys.executable, "-I", "-c", program, str(port)]) as server:
        while not accepts_connections(port):
            time.sleep(0.02)
        try:
            yield port
        finally:
            server.kill()


def http(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n", http("200 OK", "<html>hello</html>"), http("200 OK", ""), http("501 No", "<p>no"),
     http("404 Not Found", json.dumps({"detail": "Not Found"})), http("403 Forbidden", "")],
)  # fmt: skip
def test_something_else_at_the_endpoint_is_one_line(answer: bytes, tmp_path: Path) -> None:
    with answering(answer) as port:
        refused = local("up", "--state", str(tmp_path / "state"), AWS_ENDPOINT_URL=f"http://{HOST}:{port}")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
    assert f"no AWS emulator answers at AWS_ENDPOINT_URL=http://{HOST}:{port}" in refused.stderr


def test_a_dead_endpoint_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        port = str(unused.getsockname()[1])
        refused = local("up", "--state", str(tmp_path / "state"), EDGE_PORT=port)
        status = local("status", "--state", str(tmp_path / "state"), EDGE_PORT=port)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
    assert f"no AWS emulator answers at EDGE_PORT=http://localhost:{port}" in refused.stderr
    assert (status.returncode, status.stdout) == (3, "")


def test_the_endpoint_of_the_own_cloud_starts_it_again(tmp_path: Path) -> None:
    """After `eval "$(make -s local-up)"` and `make local-down`, as well."""
    layout = Layout(state=tmp_path / "state")
    cloud = LocalCloud(layout, detached=True).start()
    cloud.stop()
    named = {"AWS_ENDPOINT_URL": cloud.endpoint_url}
    down = local("down", "--state", str(layout.state), **named)
    assert "Stopped; its state is kept" in down.stderr
    assert not cloud.running
    assert "The local cloud is not running" in local("status", "--state", str(layout.state), **named).stderr


def test_an_emulator_without_packages_gets_them_as_layers(tmp_path: Path) -> None:
    emulator = RunningEmulator(Endpoint("http://localhost:1", "EDGE_PORT"), Layout(state=tmp_path / "state"))
    emulator.layout.create()
    emulator.layout.remember(redis_port=2)
    base = {"profile": "local", "redis_endpoint": f"{HOST}:2"}
    assert emulator._context(Functions("3.12", has_packages=True)) == base
    assert emulator._context(Functions("3.12", has_packages=False)) == base | {"emulator_python": "3.12"}
    assert emulator._context("no Docker") == base


def test_every_address_has_a_state_folder_of_its_own() -> None:
    def folder(url: str) -> str:
        return layout_of(Endpoint(url, "AWS_ENDPOINT_URL")).state.name

    assert folder("http://localhost:4566") == folder("http://127.0.0.1:4566") == "127.0.0.1-4566"
    assert folder("http://127.0.0.1:4567") == "127.0.0.1-4567"
    assert folder("https://box") == "box-443"
    assert folder("http://[fe80::1]:1") == "fe80__1-1"
