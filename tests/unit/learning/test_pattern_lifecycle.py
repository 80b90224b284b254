"""The transitions of a pattern's status."""

import pytest

from agent_memory.learning.lifecycle import Status, initial_transition, next_transition

EMERGING, ACTIVE, DEPRECATED = Status


@pytest.mark.parametrize("found", [ACTIVE, EMERGING])
def test_the_search_decides_how_a_pattern_enters(found):
    assert initial_transition(found).status is found


@pytest.mark.parametrize(
    ("status", "found", "has_alarm", "was_active", "expected"),
    [
        (EMERGING, None, False, False, EMERGING),
        (EMERGING, EMERGING, False, False, EMERGING),
        (EMERGING, ACTIVE, False, False, ACTIVE),
        (EMERGING, ACTIVE, True, False, DEPRECATED),
        (ACTIVE, ACTIVE, False, True, ACTIVE),
        (ACTIVE, EMERGING, False, True, ACTIVE),
        (ACTIVE, None, False, True, ACTIVE),
        (ACTIVE, ACTIVE, True, True, DEPRECATED),
        (DEPRECATED, None, False, True, DEPRECATED),
        (DEPRECATED, ACTIVE, False, True, DEPRECATED),
        (DEPRECATED, None, True, True, ACTIVE),
        (DEPRECATED, None, True, False, EMERGING),
    ],
)
def test_the_next_status(status, found, has_alarm, was_active, expected):
    transition = next_transition(status, found, has_alarm=has_alarm, was_active=was_active)
    assert transition.status is expected
    assert transition.is_change == (expected is not status)
