"""Threads that do not keep the program alive."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class DaemonThreadPool(Executor):
    """A pool of up to `max_workers` daemon threads; of any number if that is None.

    `ThreadPoolExecutor` joins its threads when Python exits: an abandoned call to a store that does not respond would
    delay the exit until the call times out.
    """

    def __init__(self, max_workers: int | None, name: str = "agent-memory") -> None:
        self._max_workers = max_workers
        self._name = name
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._is_shut_down = False

    def submit(self, call: Callable[P, T], /, *args: P.args, **settings: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor.submit`."""
        future: Future[T] = Future()
        with self._lock:
            if self._is_shut_down:
                raise RuntimeError("the pool is shut down")
            self._work.put(partial(_run, future, partial(call, *args, **settings)))
            if self._idle:
                self._idle -= 1
            elif self._max_workers is None or len(self._threads) < self._max_workers:
                thread = threading.Thread(target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002  of the base class
        """See `concurrent.futures.Executor.shutdown`; pending calls are still made."""
        with self._lock:
            threads, is_first = list(self._threads), not self._is_shut_down
            self._is_shut_down = True
        if is_first:
            for _ in threads:
                self._work.put(None)
        if wait:
            for thread in threads:
                if thread.is_alive():  # else it has ended, or an interrupt came amid its start
                    thread.join()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            work()
            del work  # do not keep the call's objects alive while the thread waits
            with self._lock:
                self._idle += 1


class Lane(Executor):
    """Up to `limit` calls at a time on the threads of a pool; others wait in order, without holding a thread."""

    def __init__(self, pool: Executor, limit: int) -> None:
        self._pool = pool
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = 0

    def submit(self, call: Callable[P, T], /, *args: P.args, **settings: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor.submit`."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append(partial(_run, future, partial(call, *args, **settings)))
            has_free_place = self._running < self._limit
            self._running += has_free_place
        if has_free_place:
            self._pool.submit(self._serve)
        return future

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                work = self._waiting.popleft()
            work()
            del work  # do not keep the call's objects alive


def _run(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
