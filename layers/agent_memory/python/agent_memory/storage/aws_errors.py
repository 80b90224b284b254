"""botocore's errors as this package's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeGuard

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.core.errors import AgentMemoryError, InvalidInput, Unavailable

_CONDITION_CODES = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


def error_code(error: ClientError) -> str:
    """The service's code of an error, as `ResourceNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_failed_condition(error: BotoCoreError | ClientError) -> TypeGuard[ClientError]:
    """Whether the service answered that a condition of the request does not hold."""
    return isinstance(error, ClientError) and error_code(error) in _CONDITION_CODES


def translated(error: BotoCoreError | ClientError, service: str) -> AgentMemoryError:
    """An error as this package's own: `InvalidInput` where sending it again would not help, else `Unavailable`."""
    if isinstance(error, BotoCoreError):
        return Unavailable(f"{service} did not answer: {type(error).__name__}")
    if error_code(error) == "ValidationException":
        return InvalidInput("request", f"{service} finds it invalid: {error}")
    return Unavailable(f"{service} refused the request: {error_code(error)}")


@contextmanager
def unavailable(service: str) -> Iterator[None]:
    """Raise what a service refuses or fails to answer as this package's own errors; failed conditions pass through."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if is_failed_condition(error):
            raise
        raise translated(error, service) from error
