"""What the store rejected for good, kept in a file of JSON lines beside the log."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent_memory.buffering.frames import DECISION, Item, Record
from agent_memory.buffering.sinks import Result
from agent_memory.core.clock import to_iso


def keep_rejected(file: Path, rejected: Sequence[tuple[Item, Result]], now_ms: int) -> None:
    """Append each with its error and the time; on the disk when this returns.

    A line has `rejected_at`, `error`, and `decision` or `outcome` as it was logged, or the `damaged` bytes in Base64.
    A window that is sent again after a crash may leave the same lines twice.

    Raises:
        OSError: the disk refused.
    """
    lines = [json.dumps(_line(item, result, now_ms), default=str) for item, result in rejected]
    with file.open("ab") as out:
        out.write("".join(f"{line}\n" for line in lines).encode())
        out.flush()
        os.fsync(out.fileno())


def _line(item: Item, result: Result, now_ms: int) -> dict[str, Any]:
    error = result.get("error") or {"code": result.get("status"), "message": "rejected by the store"}
    line: dict[str, Any] = {"rejected_at": to_iso(now_ms), "error": error}
    if isinstance(item, Record):
        name = "decision" if item.kind == DECISION else "outcome"
        return line | {"logged_at": to_iso(item.logged_ms), name: json.loads(item.payload)}
    return line | {"damaged": base64.b64encode(item.data).decode()}
