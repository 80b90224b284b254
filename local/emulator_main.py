"""Runs MiniStack with patches. This script is started in the emulator's own environment.

Those of DynamoDB are in `emulator_tables`.

After each invocation of a function that has logged nothing MiniStack waits 50 ms for what it may have logged. What it
has logged is in the pipe before its result is: here the wait ends once the pipe is empty.

It waits 150 ms before the first state of an execution. That is left out: the response to the request is sent anyway.

When a change set imports an existing bucket into a stack (`ImportExistingResources`), MiniStack's validation of names
refuses the bucket because it exists: this validation is switched off for imports.

The records of a table's stream end with the process, while the positions up to which functions have read them are kept:
after a restart as many new records would be skipped. Here functions begin with the first record after it.

Its responses are written by msgspec, in a fraction of the time.

Its state is written by Python's own encoder, piece by piece, which takes several times as long as encoding it at once:
here it is encoded at once.

The tables are hundreds of thousands of objects, which the collector of reference cycles would look through again and
again: it does so less often.

The process ends as soon as its state is written: threads of executions that are still under way would otherwise keep it
alive for as long as their retries last.
"""

import array
import fcntl
import gc
import json
import os
import runpy
import sys
import termios
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from ministack.core import lambda_runtime, persistence, responses  # type: ignore[import-not-found]  # in the emulator's environment
from ministack.services import cloudformation, lambda_svc, stepfunctions  # type: ignore[import-not-found]
from ministack.services.cloudformation import changesets  # type: ignore[import-not-found]


def _dump(state: Any, file: Any, **settings: Any) -> None:
    file.write(json.dumps(state, **settings))


persistence.json = SimpleNamespace(**{**vars(json), "dump": _dump})

_PLAIN_JSON = {"ensure_ascii": False}


def _dumps(value: Any, **settings: Any) -> str:
    if settings == _PLAIN_JSON:
        try:
            return msgspec.json.encode(value).decode()
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):  # what Python's encoder writes or refuses
            pass
    return json.dumps(value, **settings)


responses.json = SimpleNamespace(**{**vars(json), "dumps": _dumps})

_COLLECTED_AFTER = 100_000, 50, 100


def _apply(name: str) -> None:
    """Run the module of a patch; the folder of this script is not on the path, for its names are common ones."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(name)
    spec.loader.exec_module(module_from_spec(spec))


_apply("emulator_tables")

_wait_for_log = lambda_runtime.Worker._drain_stderr_bounded  # noqa: SLF001
_LONGEST_WAIT_SECONDS, _PAUSE_SECONDS = 0.25, 0.001


def _drain(worker: Any, *arguments: Any, **settings: Any) -> str:
    """What the function has logged: until the pipe is empty, and its reader has had time to pass the lines on."""
    pipe = getattr(worker._proc, "stderr", None)  # noqa: SLF001
    if pipe is None:
        return str(_wait_for_log(worker, *arguments, **settings))
    lines: list[str] = []
    end, is_empty = time.monotonic() + _LONGEST_WAIT_SECONDS, False
    while not is_empty and time.monotonic() < end:
        is_empty = not _unread_bytes(pipe)
        time.sleep(_PAUSE_SECONDS)
        found = worker._drain_stderr()  # noqa: SLF001
        is_empty = is_empty and not found
        lines += [found] if found else []
    return "\n".join(lines)


def _unread_bytes(pipe: Any) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, count)
    return count[0]


lambda_runtime.Worker._drain_stderr_bounded = _drain  # noqa: SLF001

_BEFORE_EXECUTION_SECONDS = 0.15


def _sleep(seconds: float) -> None:
    if seconds != _BEFORE_EXECUTION_SECONDS:
        time.sleep(seconds)


stepfunctions.time = SimpleNamespace(**{**vars(time), "sleep": _sleep})

_restore_positions = lambda_svc._restore_esm_positions  # noqa: SLF001


def _restore_without_stream_positions(store: Any, positions: Any) -> None:
    _restore_positions(store, positions)
    if store is lambda_svc._dynamodb_stream_positions:  # noqa: SLF001
        for mapping in store._data:  # noqa: SLF001
            store._data[mapping] = 0  # noqa: SLF001


lambda_svc._restore_esm_positions = _restore_without_stream_positions  # noqa: SLF001

_deploy = changesets._deploy_stack_async  # noqa: SLF001


def _deploy_with_imports(stack_name: str, *arguments: Any, imports: Any = None, **settings: Any) -> Any:
    if imports:
        cloudformation._stacks[stack_name]["_disable_validation"] = True  # noqa: SLF001
    return _deploy(stack_name, *arguments, imports=imports, **settings)


changesets._deploy_stack_async = _deploy_with_imports  # noqa: SLF001

gc.set_threshold(*_COLLECTED_AFTER)
sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__", alter_sys=True)
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
