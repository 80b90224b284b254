"""One table from errors to HTTP. Whatever is not in it is a 500 that tells nothing but the request id."""

from typing import Any

from agent_memory.errors import AgentMemoryError, Conflict, Forbidden, InvalidInput, NotFound, Unavailable

STATUS: dict[type[AgentMemoryError], tuple[int, str]] = {
    InvalidInput: (400, "invalid_input"),
    Forbidden: (403, "forbidden"),
    NotFound: (404, "not_found"),
    Conflict: (409, "conflict"),
    Unavailable: (503, "unavailable"),
}


def status_of(error: AgentMemoryError) -> int:
    """HTTP status of an error."""
    return STATUS[type(error)][0]


def body_of(error: AgentMemoryError) -> dict[str, Any]:
    """What the caller is told: a code, a message, and the field where there is one."""
    body: dict[str, Any] = {"code": STATUS[type(error)][1], "message": str(error)}
    if isinstance(error, InvalidInput):
        body["field"] = error.field
    return body
