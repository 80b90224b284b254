"""Runs one command and sees to it that it ends: a script of its own, standard library only.

    parent --(stdin pipe, EOF = parent is gone)--> supervisor --(own process group)--> command

The supervisor ends the whole group of the command (SIGTERM, then after a grace period SIGKILL) when the
parent closes the pipe or dies in whatever way, when it gets SIGTERM itself, and for what the command left
behind, when the command has ended. With `--record` it holds a lock on that file for as long as the command
lives and writes both process ids there: a held lock means alive, whatever became of the process ids.
With `--detach` it lives on without its parent.
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
    parser = argparse.ArgumentParser(description="run a command and see to it that it ends")
    parser.add_argument("--record", type=Path, help="file to lock, with the process ids")
    parser.add_argument("--detach", action="store_true", help="live on without the parent")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds between SIGTERM and SIGKILL")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _leave_parent() -> bool:
    """Fork; true in the process that goes on, which has no terminal and is nobody's child to wait for."""
    if os.fork():
        return False
    os.setsid()
    return True


def _hold(record: Path) -> IO[str] | None:
    handle = record.open("a+", encoding="utf-8")
    for _attempt in range(20):  # somebody who asks whether the lock is held holds it for a moment
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)
        else:
            return handle
    return None


def _supervise(options: argparse.Namespace, record: IO[str] | None) -> int:
    asked_to_end: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: asked_to_end.append(received))
    child = subprocess.Popen(  # noqa: S603  # the command is the purpose of this script
        options.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=(record.fileno(),) if record else (),  # the lock outlives a killed supervisor
        preexec_fn=_end_with_supervisor,  # noqa: PLW1509  # this process has one thread
    )
    if record:
        _write(record, {"supervisor": os.getpid(), "process": child.pid, "detached": options.detach})
    while child.poll() is None and not asked_to_end and not (not options.detach and _parent_is_gone()):
        if options.detach:
            time.sleep(_POLL_SECONDS)
    _end(child, options.grace)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _end_with_supervisor() -> None:
    """Ask Linux to end the command should the supervisor itself be killed; elsewhere a no-op."""
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
    _signal_group(child.pid, signal.SIGKILL)  # and what the command left behind
    child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.exit(main())
