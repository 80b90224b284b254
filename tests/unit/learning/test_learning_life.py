"""Which status follows which."""

import pytest

from agent_memory.learning.life import Status, Verdict, first_step, next_step

EMERGING, ACTIVE, DEPRECATED = Status.EMERGING, Status.ACTIVE, Status.DEPRECATED
PROMOTED, DISCOVERED, NOT_FOUND = Verdict.PROMOTED, Verdict.DISCOVERED, Verdict.NOT_FOUND


def test_the_search_decides_how_a_pattern_enters():
    entered = {verdict: step.status if (step := first_step(verdict)) else None for verdict in Verdict}
    assert entered == {PROMOTED: ACTIVE, DISCOVERED: EMERGING, NOT_FOUND: None}


@pytest.mark.parametrize(
    ("status", "verdict", "has_alarm", "was_active", "expected"),
    [
        (EMERGING, NOT_FOUND, False, False, EMERGING),
        (EMERGING, DISCOVERED, False, False, EMERGING),
        (EMERGING, PROMOTED, False, False, ACTIVE),
        (EMERGING, PROMOTED, True, False, DEPRECATED),
        (ACTIVE, PROMOTED, False, True, ACTIVE),
        (ACTIVE, DISCOVERED, False, True, ACTIVE),
        (ACTIVE, NOT_FOUND, False, True, ACTIVE),
        (ACTIVE, PROMOTED, True, True, DEPRECATED),
        (DEPRECATED, NOT_FOUND, False, True, DEPRECATED),
        (DEPRECATED, PROMOTED, False, True, DEPRECATED),
        (DEPRECATED, NOT_FOUND, True, True, ACTIVE),
        (DEPRECATED, NOT_FOUND, True, False, EMERGING),
    ],
)
def test_what_follows(status, verdict, has_alarm, was_active, expected):
    step = next_step(status, verdict, has_alarm=has_alarm, was_active=was_active)
    assert step.status is expected
    assert step.is_new == (expected is not status)
