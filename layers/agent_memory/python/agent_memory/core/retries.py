"""Retries with tenacity: how often and how fast is defined here."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    wait_exponential_jitter,
    wait_random_exponential,
)

from agent_memory.core.errors import Conflict, Unavailable

T = TypeVar("T")

_CONFLICTS = Retrying(
    retry=retry_if_exception_type(Conflict),
    stop=stop_after_attempt(100),
    wait=wait_random_exponential(multiplier=0.005, max=0.2),
    reraise=True,
)


def retry_conflicts(change: Callable[[], T]) -> T:
    """The result of a read-modify-write change, repeated while another writer comes first.

    Raises:
        Conflict: 100 attempts failed.
    """
    return _CONFLICTS.copy()(change)


def retry_while_pending(send: Callable[[], bool], *, why: str) -> None:
    """Call `send` with exponential backoff until it returns False, which means that nothing is pending.

    Raises:
        Unavailable: something was still pending after eight attempts; `why` is the message.
    """
    retrying = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_attempt(8),
        wait=wait_exponential_jitter(multiplier=0.025, max=3.2, jitter=0.025),
        retry_error_callback=lambda _: True,
    )
    if retrying(send):
        raise Unavailable(why)


def retry_on(kind: type[Exception], call: Callable[[], T], *, attempts: int) -> T:
    """The result of a call that is repeated at once if it raises an error of this kind."""
    return Retrying(retry=retry_if_exception_type(kind), stop=stop_after_attempt(attempts), reraise=True)(call)
