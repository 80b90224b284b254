"""The one rule for what becomes of a record: only the sink's own verdict on a record rejects it.

A verdict is a result of a batch call with one of the statuses of `REJECTED`, or one of the errors of `VERDICT_ERRORS`
that the sink raised for a single record. Everything else, as an answer of a gateway, a missing or unknown status, an
outage, refused credentials or an error of this process, says nothing about the record: it stays in the buffer and is
sent again. `docs/buffered-logging.md` shows the answers one by one.
"""

from collections.abc import Mapping
from typing import Any

from agent_memory.core.errors import Conflict, InvalidInput, NotFound, TooEarly, Unavailable

Result = Mapping[str, Any]

STORED = frozenset({"created", "recorded", "unchanged"})
REJECTED = frozenset({"invalid", "conflict", "not_found", "too_large"})
VERDICT_ERRORS = (InvalidInput, Conflict, NotFound)
"""With their subclasses, as `TooLarge`, except for `TooEarly`: the store accepts that record when its time has come."""


def check_is_final(result: object) -> Result:
    """Return a result that is stored or rejected.

    Raises:
        Unavailable: it is neither; send the record again.
    """
    if not isinstance(result, Mapping):
        raise Unavailable(f"the sink returned {result!r:.80} instead of a result")
    error = result.get("error")
    if isinstance(error, Mapping) and error.get("retry_after_seconds") is not None:
        raise Unavailable(f"the clock of the store is behind this one: {error.get('message')}")
    if result.get("status") not in STORED | REJECTED:
        raise Unavailable(f"the sink returned the unknown status {result.get('status')!r:.80}")
    return result


def is_verdict(error: BaseException) -> bool:
    """Whether an error that the sink raised for a single record rejects it."""
    return isinstance(error, VERDICT_ERRORS) and not isinstance(error, TooEarly)


def rejection(error: BaseException) -> Result:
    """The result of a record for which the sink raised a verdict."""
    assert isinstance(error, VERDICT_ERRORS)  # noqa: S101  of `is_verdict`
    return {"status": "invalid" if isinstance(error, InvalidInput) else error.code, "error": error.as_dict()}


def reason_of(result: Result) -> str:
    """Why a record was rejected, in a line."""
    error = result.get("error")
    if not isinstance(error, Mapping):
        return str(result.get("status"))
    return f"{error.get('code', result.get('status'))}: {error.get('message', 'rejected by the store')}"
