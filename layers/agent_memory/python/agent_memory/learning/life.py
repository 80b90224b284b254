"""The life of a pattern: which status follows which, and on what evidence.

                 search promotes                 change alarm
    (unknown) ─────────────────────▶ active ─────────────────────▶ deprecated ──▶ pruned
        │                              ▲  ▲                         │   ▲
        │ search discovers    promotes │  └── return alarm, it was ─┤   │ change alarm
        └──────────────────▶ emerging ─┘            active before   │   │
                                ▲ └─────────────────────────────────┼───┘
                                └──────── return alarm, else ───────┘

The nightly search decides how a pattern enters. From then on only its own outcomes count (`learning.change`): that
tonight's search worded the same decisions otherwise, or missed the pattern by a hair, changes nothing.

Pure Python: importing this module costs no numpy.
"""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How far a pattern is believed."""

    EMERGING = "emerging"
    ACTIVE = "active"
    DEPRECATED = "deprecated"


class Verdict(StrEnum):
    """What tonight's search says of a combination."""

    PROMOTED = "promoted"
    DISCOVERED = "discovered"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Step:
    """The status that a pattern has from tonight on, and why; `is_new` where it had another."""

    status: Status
    reason: str
    is_new: bool = True


def first_step(verdict: Verdict) -> Step | None:
    """How a pattern that was unknown enters, if it does."""
    if verdict is Verdict.PROMOTED:
        return Step(Status.ACTIVE, "borne out by the evidence")
    if verdict is Verdict.DISCOVERED:
        return Step(Status.EMERGING, "stands out, but the newest decisions are too few to bear it out")
    return None


def next_step(status: Status, verdict: Verdict, *, has_alarm: bool, was_active: bool) -> Step:
    """The status that follows.

    Args:
        status: the one it has.
        verdict: what tonight's search says of it, under whatever wording.
        has_alarm: the watch on its outcomes has an alarm: that it holds no longer, or, deprecated, that it does again.
        was_active: it was active at some time.
    """
    if status is Status.DEPRECATED:
        if not has_alarm:
            return Step(status, "still not holding", is_new=False)
        return Step(Status.ACTIVE if was_active else Status.EMERGING, "holding again, as its decisions since show")
    if has_alarm:
        return Step(Status.DEPRECATED, "not holding any more, as its decisions since show")
    if status is Status.EMERGING and verdict is Verdict.PROMOTED:
        return Step(Status.ACTIVE, "borne out by the newest decisions too")
    return Step(status, "its figures of tonight", is_new=False)
