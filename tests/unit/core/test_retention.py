"""When items of tables expire."""

from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, HOT_DAYS, expires_ms

IGNORED_AFTER_MS = 5 * 365 * DAY_MS
NOW = 1_795_000_000_000


@given(
    age_days=st.integers(-1, 20_000),
    rest_ms=st.integers(0, DAY_MS),
    days=st.sampled_from([HOT_DAYS, EXPIRE_AFTER_DAYS]),
)
def test_no_expiry_is_so_old_that_dynamodb_ignores_it(age_days, rest_ms, days):
    made_ms = NOW - age_days * DAY_MS - rest_ms
    found = expires_ms(made_ms, days, NOW)
    assert found > NOW - IGNORED_AFTER_MS + DAY_MS
    assert found in {made_ms + days * DAY_MS, NOW + DAY_MS}
    if made_ms + days * DAY_MS > NOW - IGNORED_AFTER_MS / 2:
        assert found == made_ms + days * DAY_MS
