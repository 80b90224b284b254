"""Runs one command and makes sure that it ends. A script that needs the standard library only.

    parent --(stdin pipe, EOF = parent is gone)--> supervisor --(own process group)--> command

The supervisor stops the process group of the command (SIGTERM, then SIGKILL after a grace period) when the parent
closes the pipe or dies, when it gets SIGTERM itself, and when the command has ended but left processes behind. With
`--record` it locks that file while the command is alive and writes both process ids into it: the lock shows that the
command is alive, even if process ids were reused. With `--detach` it continues to run without its parent.
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

ALREADY_RUNNING = 75
_POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Run the command of the arguments; return its exit code."""
    options = _parse(sys.argv[1:])
    if options.detach and not _leave_parent():
        return 0
    record = _hold(options.record) if options.record else None
    if options.record and record is None:
        return ALREADY_RUNNING
    return _supervise(options, record)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="run a command and make sure that it ends")
    parser.add_argument("--record", type=Path, help="file to lock, for the process ids")
    parser.add_argument("--detach", action="store_true", help="continue to run without the parent")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _leave_parent() -> bool:
    """Fork; return True in the child, which continues in a session of its own."""
    if os.fork():
        return False
    os.setsid()
    return True


def _hold(record: Path) -> IO[str] | None:
    handle = record.open("a+", encoding="utf-8")
    for _attempt in range(20):  # a process that checks the lock holds it for a moment
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)
        else:
            return handle
    return None


def _supervise(options: argparse.Namespace, record: IO[str] | None) -> int:
    stop_signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: stop_signals.append(received))
    child = subprocess.Popen(  # noqa: S603  # the command is the purpose of this script
        options.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(record.fileno(),) if record else (),  # the lock remains if the supervisor is killed
        preexec_fn=_end_with_supervisor,  # noqa: PLW1509  # this process has one thread
    )
    if record:
        _write(record, {"supervisor": os.getpid(), "process": child.pid, "detached": options.detach})
    while child.poll() is None and not stop_signals and not (not options.detach and _parent_is_gone()):
        if options.detach:
            time.sleep(_POLL_SECONDS)
    _end(child, options.grace)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end_with_supervisor() -> None:
    """Let Linux stop the command if the supervisor is killed; a no-op elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _write(record: IO[str], ids: dict[str, int | bool]) -> None:
    record.truncate(0)
    record.write(json.dumps(ids))
    record.flush()


def _parent_is_gone() -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], _POLL_SECONDS)
    return bool(readable) and os.read(sys.stdin.fileno(), 1) == b""


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(grace)
    _signal_group(child.pid, signal.SIGKILL)  # and processes that the command left behind
    child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.exit(main())
