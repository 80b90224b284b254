"""Retries with tenacity: how often and how fast is defined here.

The first attempt is made without tenacity, whose import takes 30 ms and brings asyncio: a function that starts, and
nothing of which fails, does not need it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from agent_memory.core.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from tenacity import Retrying

T = TypeVar("T")


def retry_conflicts(change: Callable[[], T]) -> T:
    """The result of a read-modify-write change, repeated while another writer comes first.

    Raises:
        Conflict: 100 attempts failed.
    """
    try:
        return change()
    except Conflict as error:
        return _conflicts()(_after(error, change))


def retry_while_pending(send: Callable[[], bool], *, why: str) -> None:
    """Call `send` with exponential backoff until it returns False, which means that nothing is pending.

    Raises:
        Unavailable: something was still pending after eight attempts; `why` is the message.
    """
    if not send():
        return
    from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential_jitter  # noqa: PLC0415

    retrying = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_attempt(8),
        wait=wait_exponential_jitter(multiplier=0.025, max=3.2, jitter=0.025),
        retry_error_callback=lambda _: True,
    )
    first = iter([True])
    if retrying(lambda: next(first, False) or send()):
        raise Unavailable(why)


def retry_on(kind: type[Exception], call: Callable[[], T], *, attempts: int) -> T:
    """The result of a call that is repeated at once if it raises an error of this kind."""
    try:
        return call()
    except kind as error:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt  # noqa: PLC0415

        retrying = Retrying(retry=retry_if_exception_type(kind), stop=stop_after_attempt(attempts), reraise=True)
        return retrying(_after(error, call))


def _conflicts() -> "Retrying":
    from tenacity import (  # noqa: PLC0415
        Retrying,
        retry_if_exception_type,
        stop_after_attempt,
        wait_random_exponential,
    )

    return Retrying(
        retry=retry_if_exception_type(Conflict),
        stop=stop_after_attempt(100),
        wait=wait_random_exponential(multiplier=0.005, max=0.2),
        reraise=True,
    )


def _after(failure: Exception, call: Callable[[], T]) -> Callable[[], T]:
    """A call whose first attempt has failed already."""
    failures = [failure]

    def attempt() -> T:
        if failures:
            raise failures.pop()
        return call()

    return attempt
