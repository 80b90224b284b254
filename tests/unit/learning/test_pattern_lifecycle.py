"""The transitions of a pattern's status."""

import pytest

from agent_memory.learning.lifecycle import SearchResult, Status, initial_transition, next_transition

EMERGING, ACTIVE, DEPRECATED = Status
CONFIRMED, DISCOVERED, NOT_FOUND = SearchResult


def test_the_search_decides_how_a_pattern_enters():
    transitions = {result: initial_transition(result) for result in SearchResult}
    entered = {result: transition and transition.status for result, transition in transitions.items()}
    assert entered == {CONFIRMED: ACTIVE, DISCOVERED: EMERGING, NOT_FOUND: None}


@pytest.mark.parametrize(
    ("status", "result", "has_alarm", "was_active", "expected"),
    [
        (EMERGING, NOT_FOUND, False, False, EMERGING),
        (EMERGING, DISCOVERED, False, False, EMERGING),
        (EMERGING, CONFIRMED, False, False, ACTIVE),
        (EMERGING, CONFIRMED, True, False, DEPRECATED),
        (ACTIVE, CONFIRMED, False, True, ACTIVE),
        (ACTIVE, DISCOVERED, False, True, ACTIVE),
        (ACTIVE, NOT_FOUND, False, True, ACTIVE),
        (ACTIVE, CONFIRMED, True, True, DEPRECATED),
        (DEPRECATED, NOT_FOUND, False, True, DEPRECATED),
        (DEPRECATED, CONFIRMED, False, True, DEPRECATED),
        (DEPRECATED, NOT_FOUND, True, True, ACTIVE),
        (DEPRECATED, NOT_FOUND, True, False, EMERGING),
    ],
)
def test_the_next_status(status, result, has_alarm, was_active, expected):
    transition = next_transition(status, result, has_alarm=has_alarm, was_active=was_active)
    assert transition.status is expected
    assert transition.is_change == (expected is not status)
