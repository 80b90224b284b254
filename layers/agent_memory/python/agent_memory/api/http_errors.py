"""One table from errors to HTTP. Whatever is not in it is a 500 that tells nothing but the request id."""

from agent_memory.core.errors import (
    AgentMemoryError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    ShortTermOff,
    TooLarge,
    Unavailable,
)

STATUS: dict[type[AgentMemoryError], int] = {
    InvalidInput: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Unavailable: 503,
    ShortTermOff: 404,  # no fault of the server: this deployment has no such thing
}


def status_of(error: AgentMemoryError) -> int:
    """HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
