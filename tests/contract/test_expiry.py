"""Decisions that are logged years late leave the table: DynamoDB ignores an expiry over five years past."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, FixedClock, date_of
from agent_memory.core.ids import decision_id_for
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.archival import archive_due_days
from agent_memory.storage.factory import in_memory_stores

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # as the clock of the stores
IGNORED_AFTER_DAYS = 5 * 365
AGENT = "hunter"


class Recorded:
    """Decisions in memory; remembers the expiries that were set, by id."""

    def __init__(self, inner):
        self._inner = inner
        self.expiries = {}

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def expire(self, decisions, at_ms):
        self.expiries |= {one.decision_id: at for one, at in zip(decisions, at_ms, strict=True)}
        return self._inner.expire(decisions, at_ms)


def log_at(stores, at):
    decision = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    decision["decision_id"] = decision_id_for("QUERY", at, str(at))
    return DecisionLog(AGENT, stores, stores.clock).log_one(decision).decision_id


@settings(max_examples=20)
@given(ages=st.lists(st.integers(31, EXPIRE_AFTER_DAYS - 1), min_size=1, max_size=4, unique=True))
def test_archived_decisions_expire_however_late_they_were_logged(ages):
    clock = FixedClock(int(NOW.timestamp() * 1000))
    stores = in_memory_stores(clock)
    recorded = Recorded(stores.decisions)
    stores = replace(stores, decisions=recorded)
    made = {log_at(stores, NOW - timedelta(days=age)): age for age in ages}
    yesterday = date_of(clock.now_ms()) - timedelta(days=1)
    while archive_due_days(AGENT, yesterday, stores)["remaining_days"]:
        pass
    assert set(recorded.expiries) == set(made)
    for decision_id, at_ms in recorded.expiries.items():
        assert at_ms > clock.now_ms() - IGNORED_AFTER_DAYS * DAY_MS
        age = made[decision_id]
        if age < 4 * 365:
            assert at_ms == clock.now_ms() + (90 - age) * DAY_MS
        if age > IGNORED_AFTER_DAYS:
            assert at_ms == clock.now_ms() + DAY_MS
