"""Translates botocore's errors into this package's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeGuard

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.core.errors import AgentMemoryError, InvalidInput, Unavailable

_CONDITION_CODES = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


def error_code(error: ClientError) -> str:
    """The service's error code, as `ResourceNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_failed_condition(error: BotoCoreError | ClientError) -> TypeGuard[ClientError]:
    """Whether the condition of a conditional request was not met."""
    return isinstance(error, ClientError) and error_code(error) in _CONDITION_CODES


def translate_error(error: BotoCoreError | ClientError, service: str) -> AgentMemoryError:
    """The error to raise instead: `InvalidInput` if a retry cannot succeed, else `Unavailable`."""
    if isinstance(error, BotoCoreError):
        return Unavailable(f"{service} did not respond: {type(error).__name__}")
    if error_code(error) == "ValidationException":
        return InvalidInput("request", f"{service} refused the request as invalid: {error}")
    return Unavailable(f"{service} refused the request: {error_code(error)}")


@contextmanager
def translated_errors(service: str) -> Iterator[None]:
    """Translate the errors of a service that are raised inside; failed conditions are raised unchanged."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if is_failed_condition(error):
            raise
        raise translate_error(error, service) from error
