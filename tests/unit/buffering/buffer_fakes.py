"""Fake sinks for a buffered logger, with the results of the real ones."""

import random

from agent_memory.core.errors import Unavailable
from agent_memory.core.json_values import canonical_json

CONTEXT = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142}
REASONING = {"scores": {"whaleMovements": 0.92}, "selected": ["whaleMovements"]}


async def log_some(logger, count, start=0):
    """Log decisions numbered from `start`; returns their ids."""
    return [await logger.log_decision("QUERY", {"n": n}, REASONING) for n in range(start, start + count)]


class FakeStore:
    """Keeps all requests in `calls`, and in `decisions` and `outcomes` what was stored, in order."""

    agent_id = "hunter"

    def __init__(self):
        self.decisions = {}
        self.outcomes = {}
        self.calls = []

    def log_decisions(self, decisions):
        self._record_call("decisions", decisions)
        return [self._store_decision(decision) for decision in decisions]

    def log_outcomes(self, outcomes):
        self._record_call("outcomes", outcomes)
        return [self._store_outcome(outcome) for outcome in outcomes]

    def get_decision(self, decision_id):
        self._record_call("get", [decision_id])
        return self.decisions[decision_id]

    def _record_call(self, name, items):
        self.calls.append((name, items))

    def _store_decision(self, decision):
        return _put(self.decisions, decision["decision_id"], decision, "created")

    def _store_outcome(self, outcome):
        decision_id = outcome["decision_id"]
        if decision_id not in self.decisions:
            error = {"code": "not_found", "message": "there is no such decision"}
            return {"decision_id": decision_id, "status": "not_found", "error": error}
        return _put(self.outcomes, decision_id, outcome, "recorded")


class Down(FakeStore):
    """Does not respond."""

    def log_decisions(self, decisions):
        self._record_call("decisions", decisions)
        raise Unavailable("the table is unavailable")

    def log_outcomes(self, outcomes):
        self._record_call("outcomes", outcomes)
        raise Unavailable("the table is unavailable")


class Faulty(FakeStore):
    """Fails three requests in ten before they take effect, and three in ten after."""

    def __init__(self, seed):
        super().__init__()
        self._random = random.Random(seed)

    def log_decisions(self, decisions):
        return self._maybe(super().log_decisions, decisions)

    def log_outcomes(self, outcomes):
        return self._maybe(super().log_outcomes, outcomes)

    def _maybe(self, call, items):
        drawn = self._random.random()
        if drawn < 0.3:
            raise Unavailable("throttled")
        results = call(items)
        if drawn < 0.6:
            raise Unavailable("the response was lost")
        return results


def _put(items, decision_id, content, new_status):
    existing = items.setdefault(decision_id, content)
    if existing is content:
        return {"decision_id": decision_id, "status": new_status}
    if canonical_json(existing) == canonical_json(content):
        return {"decision_id": decision_id, "status": "unchanged"}
    return {
        "decision_id": decision_id,
        "status": "conflict",
        "error": {"code": "conflict", "message": "different content"},
    }
