"""The result of a trial, and the page of all results."""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Result:
    """What a trial counted.

    `tried` is the number of records, calls or changes; `survived` how many of them ended as they should; `lost` and
    `doubled` the records that are missing, or stored more than once or with other content. `details` are further
    figures.
    """

    name: str
    description: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    doubled: int = 0
    details: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def passed(self):
        return self.tried > 0 and self.survived == self.tried and self.lost == self.doubled == 0


@contextmanager
def timed(name, description):
    """Yield a result, and set its time at the end."""
    result, started = Result(name, description), time.monotonic()
    yield result
    result.seconds = time.monotonic() - started


def compare(result, expected, actual):
    """Count what of `expected` is in `actual` unchanged. Both are mappings by id."""
    result.tried += len(expected)
    result.survived += sum(actual.get(key) == value for key, value in expected.items())
    result.lost += sum(key not in actual for key in expected)
    result.doubled += sum(key in actual and actual[key] != value for key, value in expected.items())


def line(result):
    """A result as a line at the terminal."""
    verdict = "[green]passed[/]" if result.passed else "[red]FAILED[/]"
    return (
        f"{verdict} [bold]{result.name}[/]: {result.survived:,} of {result.tried:,} survived, {result.lost} lost, "
        f"{result.doubled} doubled or changed ({result.seconds:.0f} s; {_details(result)})"
    )


def page(results):
    """The page of the results, in Markdown."""
    rows = [
        f"| {one.name} | {one.description} | {one.tried:,} | {one.survived:,} | {one.lost:,} | {one.doubled:,} "
        f"| {_details(one)} |"
        for one in results
    ]
    head = [
        "| trial | what is done | tried | survived | lost | doubled or changed | details |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _details(result):
    return ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in result.details.items()
    )
