"""Retries, by tenacity: one place for how often and how fast something is tried again."""

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
    """The result of a change that reads, decides and writes anew each time another writer came first.

    Raises:
        Conflict: a hundred times.
    """
    return _CONFLICTS.copy()(change)


def retry_while_pending(send: Callable[[], bool], *, why: str) -> None:
    """Call `send`, with growing pauses between, until it returns False: nothing is left to send.

    Raises:
        Unavailable: something was still left after eight attempts; `why` is its message.
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
    """The result of a call that is made again at once where it raises an error of this kind."""
    return Retrying(retry=retry_if_exception_type(kind), stop=stop_after_attempt(attempts), reraise=True)(call)
