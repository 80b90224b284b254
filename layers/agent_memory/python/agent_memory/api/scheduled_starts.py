"""Which run works for a start of the nightly schedule: EventBridge Scheduler delivers each start at least once."""

import json
from collections.abc import Callable

from agent_memory.core.errors import Conflict
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import scheduled_start_key
from agent_memory.ports.blobs import BlobStore


def run_at_work(scheduled_ms: int, run: str, blobs: BlobStore, has_failed: Callable[[str], bool]) -> str | None:
    """The other run that works, or has worked, for this start; None if `run` does.

    The first run records itself in the bucket. A second one finds that record and has nothing to do, unless the
    recorded run has failed: then the second was started by hand with the same input, and takes its place.

    Args:
        scheduled_ms: when the schedule was due.
        run: the name of the run that asks; it may ask again.
        blobs: the bucket.
        has_failed: whether a run, by its name, has ended without success.
    """
    key, own = scheduled_start_key(scheduled_ms), canonical_json({"run": run}).encode()
    stored = blobs.read_tagged(key)
    recorded: str | None = json.loads(stored.body)["run"] if stored else None
    if recorded == run:
        return None
    if recorded is not None and not has_failed(recorded):
        return recorded
    try:
        blobs.replace(key, own, tag=stored.tag if stored else None)
    except Conflict:  # another run came first; it is the one that works
        return run_at_work(scheduled_ms, run, blobs, has_failed)
    return None
