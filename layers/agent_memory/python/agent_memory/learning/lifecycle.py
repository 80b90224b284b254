"""The lifecycle of a pattern: its statuses, and on what evidence it changes from one to another.

                  search confirms                 change alarm
    (unknown) ─────────────────────▶ active ─────────────────────▶ deprecated ──▶ pruned
        │                              ▲  ▲                         │   ▲
        │ search discovers    confirms │  └── return alarm, if it ──┤   │ change alarm
        └──────────────────▶ emerging ─┘        was active before   │   │
                                ▲ └─────────────────────────────────┼───┘
                                └──────── return alarm, otherwise ──┘

The nightly search decides how a pattern enters. From then on only the outcomes of its own decisions count
(`learning.monitoring`): that the latest search describes the same decisions by other features, or narrowly misses the
pattern, changes nothing.

Pure Python, so that importing this module does not load numpy.
"""

from enum import StrEnum, auto
from typing import NamedTuple


class Status(StrEnum):
    """The status of a pattern, as it is stored."""

    EMERGING = auto()
    ACTIVE = auto()
    DEPRECATED = auto()


class Transition(NamedTuple):
    """The status that a pattern has from now on, and why; `is_change` is False if it had that status already."""

    status: Status
    reason: str
    is_change: bool = True


def initial_transition(found: Status) -> Transition:
    """Return how a pattern that was unknown enters: active if the search confirmed it, emerging otherwise."""
    if found is Status.ACTIVE:
        return Transition(Status.ACTIVE, "found by the search")
    return Transition(Status.EMERGING, "noticed, but too uncertain to state")


def next_transition(status: Status, found: Status | None, *, has_alarm: bool, was_active: bool) -> Transition:
    """Return the transition of a known pattern.

    Args:
        status: its current status.
        found: the status that the latest search gives to the same decisions, however it describes them; None if it did
            not find them.
        has_alarm: whether the monitor of its outcomes raises an alarm: that the pattern no longer holds or, if it is
            deprecated, that it holds again.
        was_active: whether it has ever been active.
    """
    if status is Status.DEPRECATED:
        if not has_alarm:
            return Transition(status, "still does not hold", is_change=False)
        return Transition(Status.ACTIVE if was_active else Status.EMERGING, "holds again, by its recent outcomes")
    if has_alarm:
        return Transition(Status.DEPRECATED, "no longer holds, by its recent outcomes")
    if status is Status.EMERGING and found is Status.ACTIVE:
        return Transition(Status.ACTIVE, "found by the search")
    return Transition(status, "figures updated", is_change=False)
