"""Child processes are stopped when this process ends, for whatever reason; errors are one line."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.errors import LocalCloudError, PortTakenError
from local.processes import HOST, Service, Tools, choose_port, exclusive, port_is_free

ROOT = Path(__file__).resolve().parents[2]

# A child that passes its listening socket to its own child: the port is in use until both have ended.
FAMILY = """
import socket, subprocess, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listener.set_inheritable(True)
subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)
"""

PARENT = """
import os, sys, time
from pathlib import Path
from local.processes import Service, Tools
folder, port, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
command = [sys.executable, "-c", Path(folder, "family.py").read_text(), port]
if kind == "tool":
    Tools().run(command, environment=os.environ, directory=folder, log=folder / "log")
service = Service("family", folder / "record", folder / "log")
service.start(command, environment=os.environ, directory=folder)
try:
    time.sleep(600)
finally:
    service.stop()
"""


def wait_for(condition, seconds=15.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def port() -> int:
    return choose_port(None, None, what="a test")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service("the sleeper", tmp_path / "record", tmp_path / "log")
    yield service
    service.stop()


def start_sleeper(service: Service, tmp_path: Path, *, detached: bool = False) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    service.start(command, environment=os.environ, directory=tmp_path, detached=detached)
    service.wait_until(lambda: service.running, seconds=10)
    wait_for(lambda: service.process_id is not None)


@pytest.mark.parametrize("kind", ["service", "tool"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_orphan_is_left_when_the_parent_ends(tmp_path: Path, port: int, kind: str, number: signal.Signals) -> None:
    (tmp_path / "family.py").write_text(FAMILY)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), str(port), kind], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: not port_is_free(port))
        parent.send_signal(number)
        parent.wait(15)
        wait_for(lambda: port_is_free(port))
    finally:
        parent.kill()
        parent.wait()


def test_a_service_killed_with_its_supervisor_s_death_ends_too(service: Service, tmp_path: Path) -> None:
    start_sleeper(service, tmp_path)
    os.kill(service._ids()["supervisor"], signal.SIGKILL)
    if sys.platform == "linux":
        wait_for(lambda: not service.running)


def test_a_stopped_service_no_longer_runs(service: Service, tmp_path: Path) -> None:
    start_sleeper(service, tmp_path)
    process = service.process_id
    service.stop()
    assert not service.running
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_detached_service_is_found_and_stopped_through_its_record(service: Service, tmp_path: Path) -> None:
    start_sleeper(service, tmp_path, detached=True)
    found = Service("the sleeper", tmp_path / "record", tmp_path / "log")
    assert found.running
    assert found.detached
    found.stop()
    assert not service.running


def test_a_detached_service_outlives_the_process_that_started_it(service: Service, tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from local.processes import Service; p = Path(sys.argv[1]);"
        "Service('the sleeper', p / 'record', p / 'log').start(['sleep', '600'],"
        " environment=os.environ, directory=p, detached=True)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=True)
    wait_for(lambda: service.process_id is not None)
    time.sleep(0.3)
    assert service.running


def test_a_stale_record_with_a_reused_process_id_is_not_a_running_service(service: Service, tmp_path: Path) -> None:
    (tmp_path / "record").write_text(f'{{"supervisor": {os.getpid()}, "process": {os.getpid()}}}')
    assert not service.running
    service.stop()  # and does not stop this process
    start_sleeper(service, tmp_path)


def test_a_service_that_runs_is_not_started_again(service: Service, tmp_path: Path) -> None:
    start_sleeper(service, tmp_path)
    with pytest.raises(LocalCloudError, match="already running"):
        start_sleeper(service, tmp_path)


def test_the_error_for_a_service_that_stops_at_once_names_its_log(service: Service, tmp_path: Path) -> None:
    service.start([sys.executable, "-c", "raise SystemExit('no')"], environment=os.environ, directory=tmp_path)
    with pytest.raises(LocalCloudError, match=r"stopped at once.*log"):
        service.wait_until(lambda: False, seconds=10)
    assert (tmp_path / "log").read_text() == "no\n"


def test_the_error_of_a_tool_has_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('this is why')"]
    with pytest.raises(subprocess.CalledProcessError) as error:
        Tools().run(command, environment=os.environ, directory=tmp_path, log=tmp_path / "log")
    assert "this is why" in error.value.output


def test_no_tool_starts_after_the_end(tmp_path: Path) -> None:
    tools = Tools()
    tools.end()
    with pytest.raises(LocalCloudError, match="interrupted"):
        tools.run([sys.executable, "-V"], environment=os.environ, directory=tmp_path, log=tmp_path / "log")


def test_a_lock_that_is_held_names_the_process(tmp_path: Path) -> None:
    holding = exclusive(tmp_path / "lock", "unused")
    busy = exclusive(tmp_path / "lock", "in use by process {process}")
    with holding, pytest.raises(LocalCloudError, match=f"in use by process {os.getpid()}"), busy:
        pass
    with exclusive(tmp_path / "lock", "still held"):
        pass


def test_a_requested_port_that_is_in_use_is_refused(port: int) -> None:
    with socket.create_server((HOST, port)), pytest.raises(PortTakenError, match=f"port {port} .* in use") as error:
        choose_port(port, None, what="a test")
    assert error.value.exit_code == 2


def test_the_port_of_the_last_run_is_used_again_if_it_is_free(port: int) -> None:
    assert choose_port(None, port, what="a test") == port
    with socket.create_server((HOST, port)):
        assert choose_port(None, port, what="a test") != port
