"""Child processes that are always stopped in the end: services, which run in the background, and tools, which run once.

Each child runs under a `supervisor`, which stops it when this process ends, for whatever reason.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from local.errors import LocalCloudError, PortTakenError
from local.layout import saved_object

HOST = "127.0.0.1"
_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_POLL_SECONDS = 0.05
# The emulator writes its state when it stops, which takes seconds if there is much of it.
_GRACE_SECONDS = 60.0


class Service:
    """A process that runs until it is stopped, identified by the record file that its supervisor keeps locked.

    The record is authoritative, not a process id in memory: any later process finds the service by it.
    """

    def __init__(self, name: str, record: Path, log: Path) -> None:
        self.name = name
        self.log = log
        self._record = record
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is alive: its record is locked."""
        if not self._record.exists():
            return False
        with self._record.open("r", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @property
    def detached(self) -> bool:
        """Whether it continues to run without the process that started it."""
        return bool(self._ids().get("detached"))

    @property
    def process_id(self) -> int | None:
        """Id of the process while it runs."""
        return self._ids().get("process") if self.running else None

    def start(
        self, command: Sequence[str], *, environment: Mapping[str, str], directory: Path, detached: bool = False
    ) -> None:
        """Start the command with exactly this environment; its output is written to the log.

        Raises:
            LocalCloudError: the service already runs.
        """
        if self.running:
            raise LocalCloudError(f"{self.name} is already running (process {self.process_id})")
        options = ["--record", str(self._record), "--grace", str(_GRACE_SECONDS)]
        with self.log.open("wb") as log:
            self._supervisor = _supervised(
                [*options, *(["--detach"] if detached else [])],
                command,
                environment=environment,
                directory=directory,
                output=log,
            )
        if detached:
            self._supervisor.wait()  # it has forked and exits
            self._release()

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until `is_ready()` returns true.

        Raises:
            LocalCloudError: the process ended, or did not become ready in time.
        """
        deadline = time.monotonic() + seconds
        while not is_ready():
            ended = self._supervisor is not None and self._supervisor.poll() is not None
            if ended or time.monotonic() > deadline:
                state = "stopped at once" if ended else f"was not ready after {seconds:.0f} s"
                raise LocalCloudError(f"{self.name} {state}; its log is {self.log}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the process with SIGTERM, or with SIGKILL after the grace period, and wait for its end."""
        supervisor = self._ids().get("supervisor")
        if supervisor and self.running:
            _signal(supervisor, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS + 5
        while self.running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self._release()
        if self.running:
            raise LocalCloudError(f"{self.name} (process {self.process_id}) does not stop")
        self._record.unlink(missing_ok=True)

    def _release(self) -> None:
        if self._supervisor is None:
            return
        _close_pipe(self._supervisor)
        self._supervisor.wait()
        self._supervisor = None

    def _ids(self) -> dict[str, int]:
        return saved_object(self._record)


class Tools:
    """Commands that run to completion, from any thread; `end` stops running ones and prevents new ones."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False
        self._lock = threading.Lock()

    def run(self, command: Sequence[str], *, environment: Mapping[str, str], directory: Path, log: Path) -> None:
        """Run a command to completion, with its output in the log.

        An exception while waiting, such as Ctrl-C, stops the command and all its child processes.

        Raises:
            subprocess.CalledProcessError: it failed; `output` is the end of its output.
        """
        with log.open("wb") as output:
            process = self._start(command, environment, directory, output)
            try:
                code = process.wait()
            finally:
                self._finish(process)
        if code:
            raise subprocess.CalledProcessError(code, list(command), output=log.read_text(errors="replace")[-4000:])

    def end(self) -> None:
        """Stop all running commands and refuse new ones; threads that wait for them get an error."""
        with self._lock:
            self._ended = True
            for process in self._running:
                _close_pipe(process)

    def _start(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path, output: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._ended:
                raise LocalCloudError("interrupted")
            process = _supervised([], command, environment=environment, directory=directory, output=output)
            self._running.add(process)
            return process

    def _finish(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            _close_pipe(process)
            self._running.discard(process)
        process.wait()


@contextmanager
def run_concurrently(tools: Tools) -> Iterator[Executor]:
    """A pool of two threads for a block; an exception in the block stops the tools that they wait for."""
    pool = ThreadPoolExecutor(2)
    try:
        yield pool
    except BaseException:
        tools.end()  # otherwise the pool would wait for their threads
        raise
    finally:
        pool.shutdown()


@contextmanager
def exclusive(lock: Path, busy: str) -> Iterator[None]:
    """Hold a lock file during a block; `busy` is the error message if another process holds it.

    Raises:
        LocalCloudError: another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalCloudError(busy.format(process=lock.read_text(encoding="utf-8").strip())) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


@contextmanager
def in_turn(lock: Path) -> Iterator[None]:
    """Hold a lock file during a block, waiting until other processes release it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def port_is_free(port: int) -> bool:
    """Whether no process listens on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(requested: int | None, preferred: int | None, *, what: str) -> int:
    """Return the requested port, otherwise the preferred one if it is free, otherwise any free one.

    Raises:
        PortTakenError: the requested port is in use.
    """
    if requested is not None:
        if not port_is_free(requested):
            raise PortTakenError(
                f"port {requested} for {what} is in use by another program: choose another, or none to get a free one"
            )
        return requested
    if preferred is not None and port_is_free(preferred):
        return preferred
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def accepts_connections(port: int) -> bool:
    """Whether a process accepts connections on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _supervised(
    options: Sequence[str],
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    output: IO[bytes],
) -> subprocess.Popen[bytes]:
    # -I -S: no site packages, no user settings; the supervisor starts in 20 ms and stays small.
    return subprocess.Popen(  # noqa: S603  # the commands are the project's own
        [sys.executable, "-I", "-S", str(_SUPERVISOR), *options, "--", *command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=directory,
        env=dict(environment),
        start_new_session=True,  # Ctrl-C at the terminal reaches this process only
    )


def _close_pipe(supervisor: subprocess.Popen[bytes]) -> None:
    """Close the pipe to the supervisor, which then stops its command."""
    if supervisor.stdin:
        supervisor.stdin.close()


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
