"""The output at the terminal while the demo runs."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from trading_agents.demo.replay import NightlyRun


@dataclass(slots=True)
class Terminal:
    """Steps, notes, and phases with their times."""

    console: Console
    phases: dict[str, float] = field(default_factory=dict)

    def step(self, text: str) -> None:
        """Print what happens now."""
        self.console.print(Text.assemble(("· ", "cyan"), text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line that should be noticed."""
        self.console.print(Text(text, style="yellow"), soft_wrap=True)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Print the name of a part of the demo, and measure its time."""
        self.console.print(Text(name, style="bold"))
        started = time.monotonic()
        yield
        self.phases[name] = time.monotonic() - started

    def times(self) -> None:
        """Print the time of each phase."""
        parts = [f"{name.lower()} {_duration(seconds)}" for name, seconds in self.phases.items()]
        total = _duration(sum(self.phases.values()))
        self.console.print(Text.assemble(("Done in ", "bold"), (total, "bold green"), ": ", ", ".join(parts)))


class ReplayDisplay:
    """The live progress of a replay: a bar over the days, and what has been logged and learned so far."""

    def __init__(self, console: Console, days: int) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", style="bold"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[decisions]:,} decisions", style="green"),
            TextColumn("{task.fields[jobs]} nightly jobs", style="blue"),
            TextColumn("{task.fields[patterns]} patterns", style="magenta"),
            TimeElapsedColumn(),
            console=console,
            expand=True,
            refresh_per_second=4,
        )
        self._decisions = self._jobs = 0
        self._task: TaskID = self._progress.add_task("starting  ", total=days, decisions=0, jobs=0, patterns="no")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_day_logged(self, day: date, decisions: int, _outcomes: int) -> None:
        """Show that a day is logged."""
        self._decisions += decisions
        self._progress.update(self._task, advance=1, description=day.isoformat(), decisions=self._decisions)

    def on_job_done(self, run: NightlyRun) -> None:
        """Show that a nightly job is over."""
        self._jobs += 1
        self._progress.update(self._task, jobs=self._jobs, patterns=run.active_patterns or "no")


def _duration(seconds: float) -> str:
    rounded = round(seconds)
    return f"{rounded // 60} min {rounded % 60:02d} s" if rounded >= 60 else f"{seconds:.1f} s"  # noqa: PLR2004  # a minute
