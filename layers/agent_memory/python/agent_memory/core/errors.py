"""The errors that this package raises deliberately.

AgentMemoryError
├── InvalidInput        an argument or a field is invalid; names it (HTTP 400)
│   ├── TooLarge        a decision, request or response exceeds a size limit (HTTP 413)
│   └── TooEarly        a time is ahead of the store's clock; the same input is accepted later (HTTP 400)
├── NotFound            no such decision, memory or state (HTTP 404)
├── Conflict            the id exists with different content, or another writer came first (HTTP 409)
├── Forbidden           the credentials do not permit this (HTTP 403)
├── Unavailable         a store did not respond; retry later (HTTP 503)
│   ├── InColdStorage   the data is in Glacier and is being restored; retry in half a day (HTTP 503)
│   ├── ShortTermOff    the deployment has no short-term memory; a retry does not help (HTTP 404)
│   ├── CacheUnavailable
│   │                   the cache of short-term memory did not respond; agents go on without it (HTTP 503)
│   ├── Misconfigured   a store refuses the settings; says which to change, a retry does not help (HTTP 503)
│   ├── Unreadable      a stored value is not one that this package writes; names its key (HTTP 503)
│   ├── AccessDenied    AWS refused the credentials of this process; also a Forbidden (HTTP 503)
│   └── Damaged         stored data differs from its seal or digest; it is neither used nor overwritten
└── Rejected            the store rejected records that a buffered logger had accepted; names the file
"""

from pathlib import Path
from typing import Any, ClassVar


class AgentMemoryError(Exception):
    """Base class of this package's errors. `code` identifies the error in responses."""

    code: ClassVar[str] = "error"

    def as_dict(self) -> dict[str, Any]:
        """The error as in batch results and HTTP responses: `code`, `message`, and `field` where there is one."""
        return {"code": self.code, "message": str(self)}


class InvalidInput(AgentMemoryError):
    """An argument or a field is invalid. `field` is its JSON Pointer or the argument's name."""

    code = "invalid_input"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def with_field(self, field: str) -> "InvalidInput":
        """The same error for another name of the field."""
        return type(self)(field, self.message)

    def as_dict(self) -> dict[str, Any]:
        """The error as in batch results and HTTP responses."""
        return {**super().as_dict(), "field": self.field}


class TooLarge(InvalidInput):
    """A decision, a request or a response exceeds a size limit."""

    code = "too_large"


class TooEarly(InvalidInput):
    """A time is further ahead of the store's clock than clocks may differ.

    The store accepts the same input when its own clock is `retry_after_seconds` later. The code is that of
    `InvalidInput`; responses contain `retry_after_seconds` in addition.
    """

    def __init__(self, field: str, message: str, retry_after_seconds: int) -> None:
        super().__init__(field, message)
        self.retry_after_seconds = retry_after_seconds

    def with_field(self, field: str) -> "TooEarly":
        """The same error for another name of the field."""
        return TooEarly(field, self.message, self.retry_after_seconds)

    def as_dict(self) -> dict[str, Any]:
        """The error as in batch results and HTTP responses."""
        return {**super().as_dict(), "retry_after_seconds": self.retry_after_seconds}


class NotFound(AgentMemoryError):
    """The agent has no such decision, memory or state."""

    code = "not_found"


class Conflict(AgentMemoryError):
    """The id exists with different content, or another writer came first."""

    code = "conflict"


class Forbidden(AgentMemoryError):
    """The credentials do not permit the request."""

    code = "forbidden"


class Unavailable(AgentMemoryError):
    """A store did not respond. An outage is never reported as an empty result.

    `retryable` is False where a retry within seconds does not help; HTTP responses say it then.
    """

    code = "unavailable"
    retryable: ClassVar[bool] = True

    def as_dict(self) -> dict[str, Any]:
        """The error as in batch results and HTTP responses."""
        return super().as_dict() if self.retryable else {**super().as_dict(), "retryable": False}


class InColdStorage(Unavailable):
    """The data is in Glacier and has to be restored first, which takes hours."""

    code = "in_cold_storage"


class ShortTermOff(Unavailable):
    """Short-term memory is switched off in this deployment. This is not an outage."""

    code = "short_term_off"


class CacheUnavailable(Unavailable):
    """The cache of short-term memory did not respond, or refused to write.

    Callers go on without it. Where it has failed repeatedly, it is not asked again for a few seconds.
    """

    retryable = False


class Misconfigured(Unavailable):
    """A store refuses the settings that it is used with, such as its address or password; says which to change."""

    code = "misconfigured"
    retryable = False


class Unreadable(Unavailable):
    """A stored value is not one that this package writes. `key` is its key."""

    code = "unreadable"
    retryable = False

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"the value of {key} cannot be read: {why}; overwrite or remove it")
        self.key = key
        self.why = why


class AccessDenied(Forbidden, Unavailable):
    """AWS refused the credentials with which this process calls its stores. The message says what to do.

    In the deployed API they are the function's own, not the caller's, whom it answers as an `Unavailable` does.
    """

    code = Unavailable.code


class Damaged(Unavailable):
    """Stored data differs from its seal or digest. `agent-memory verify` lists the differences of an archive."""

    code = "damaged"


class Rejected(AgentMemoryError):
    """The store permanently rejected `count` records of a buffered logger.

    `file` lists them with their errors; `reason` is the error of the first one.
    """

    code = "rejected"

    def __init__(self, count: int, file: Path, reason: str = "see the file") -> None:
        super().__init__(
            f"the store rejected {count} records, the first for: {reason}; {file} lists them with their errors"
        )
        self.count = count
        self.file = file
        self.reason = reason


def as_outage(error: AgentMemoryError) -> Unavailable:
    """The error to raise instead of one that a store raised for a request which is not about the caller's input."""
    return error if isinstance(error, Unavailable) else Unavailable(f"{type(error).__name__}: {error}")


def shown(value: object, length: int = 40) -> str:
    """The beginning of a value's `repr`, to quote a caller's value in an error; its type if it has none.

    Python refuses to write an integer of thousands of digits, and classes may fail in their own `__repr__`.
    """
    try:
        return f"{value!r:.{length}}"
    except Exception:  # whatever a class raises in its own `__repr__`
        return type(value).__name__
