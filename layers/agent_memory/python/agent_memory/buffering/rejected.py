"""The file of rejected records, in JSON Lines."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent_memory.buffering.frames import DECISION, Item, Record
from agent_memory.buffering.sinks import Result
from agent_memory.core.clock import to_iso


def append_rejected(file: Path, rejected: Sequence[tuple[Item, Result]], now_ms: int) -> None:
    """Append rejected records with their errors, and sync the file.

    A line has `rejected_at`, `error`, and `decision` or `outcome` as it was logged, or the `damaged` bytes in Base64.
    A window that is sent again after a crash may append the same lines again.

    Raises:
        OSError: the file cannot be written.
    """
    lines = [json.dumps(_line(item, result, now_ms), default=str) for item, result in rejected]
    with file.open("ab") as stream:
        stream.write("".join(f"{line}\n" for line in lines).encode())
        stream.flush()
        os.fsync(stream.fileno())


def _line(item: Item, result: Result, now_ms: int) -> dict[str, Any]:
    error = result.get("error") or {"code": result.get("status"), "message": "rejected by the store"}
    line: dict[str, Any] = {"rejected_at": to_iso(now_ms), "error": error}
    if isinstance(item, Record):
        name = "decision" if item.kind == DECISION else "outcome"
        return line | {"logged_at": to_iso(item.logged_ms), name: json.loads(item.payload)}
    return line | {"damaged": base64.b64encode(item.data).decode()}
