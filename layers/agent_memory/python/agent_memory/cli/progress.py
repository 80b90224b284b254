"""What a command shows on a terminal while it works for more than a second."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_DELAY_SECONDS = 1.0


class Progress:
    """A spinner with the time, or a bar once `advance` has said how much there is to do.

    It is written to standard error, only if that is a terminal, and removed at the end.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bar: Any = None
        self._timer: threading.Timer | None = None
        self._text, self._done = "working", 0
        self._total: int | None = None

    def start(self) -> None:
        """Begin to wait for the second after which it appears."""
        if sys.stderr.isatty():
            self._timer = threading.Timer(_DELAY_SECONDS, self._show)
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """Remove it, before a command prints."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
            if self._bar is not None:
                self._bar.stop()
            self._bar = None

    def advance(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Say what is being done, and how much of it is done."""
        with self._lock:
            self._text, self._done, self._total = text, done, total
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], description=text, completed=done, total=total)

    def _show(self) -> None:
        from rich.console import Console  # noqa: PLC0415  commands of less than a second need no rich
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        with self._lock:
            if self._timer is None:
                return
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.add_task(self._text, completed=self._done, total=self._total)
            self._bar.start()


progress = Progress()
"""That of the command that runs in this process."""


@contextmanager
def shown_progress() -> Iterator[None]:
    """Show progress while a command runs, until it prints something."""
    progress.start()
    try:
        yield
    finally:
        progress.stop()
