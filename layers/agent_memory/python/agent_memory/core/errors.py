"""Everything this package raises on purpose.

AgentMemoryError
├── InvalidInput        the caller sent something unusable; names the field (HTTP 400)
│   └── TooLarge        the caller sent more than can be kept or carried (HTTP 413)
├── NotFound            no such decision, memory or state (HTTP 404)
├── Conflict            the same id already holds other content (HTTP 409)
├── Forbidden           the credentials may not do this (HTTP 403)
├── Unavailable         a store did not answer; retry later (HTTP 503)
│   ├── InColdStorage   it lies in Glacier and is being restored; ask again in half a day (HTTP 503)
│   ├── ShortTermOff    the deployment keeps no short-term memory; asking again changes nothing (HTTP 404)
│   └── Damaged         the archive is not what was sealed; nothing is written over it
└── Rejected            the store refused what a buffered logger had accepted; names the file
"""

from pathlib import Path
from typing import Any, ClassVar


class AgentMemoryError(Exception):
    """Base of every error that this package raises on purpose. `code` is its name in replies."""

    code: ClassVar[str] = "error"

    def as_dict(self) -> dict[str, Any]:
        """The error as batch results and HTTP replies tell it: `code`, `message`, and `field` where there is one."""
        return {"code": self.code, "message": str(self)}


class InvalidInput(AgentMemoryError):
    """A value that cannot be used. `field` is its path as a JSON Pointer or an argument's name."""

    code = "invalid_input"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

    def as_dict(self) -> dict[str, Any]:
        """The error as batch results and HTTP replies tell it."""
        return {**super().as_dict(), "field": self.field}


class TooLarge(InvalidInput):
    """More bytes than can be kept in one decision or carried in one request or reply."""

    code = "too_large"


class NotFound(AgentMemoryError):
    """There is no such thing under this agent."""

    code = "not_found"


class Conflict(AgentMemoryError):
    """The id is taken by other content, or another writer came first."""

    code = "conflict"


class Forbidden(AgentMemoryError):
    """The credentials may not do this."""

    code = "forbidden"


class Unavailable(AgentMemoryError):
    """A store did not answer. An outage is never reported as an empty result."""

    code = "unavailable"


class InColdStorage(Unavailable):
    """What was asked for lies in Glacier; it has to be restored first, which takes hours."""

    code = "in_cold_storage"


class ShortTermOff(Unavailable):
    """There is no cache: short-term memory is switched off where this runs, and no outage."""

    code = "short_term_off"


class Damaged(Unavailable):
    """Something in the archive is not what was sealed. `agent-memory verify` tells what."""

    code = "damaged"


class Rejected(AgentMemoryError):
    """The store refused `count` records of a buffered logger for good. They lie in `file`, each with its error."""

    code = "rejected"

    def __init__(self, count: int, file: Path) -> None:
        super().__init__(f"{count} records were refused by the store; they lie in {file}, each with its error")
        self.count = count
        self.file = file
