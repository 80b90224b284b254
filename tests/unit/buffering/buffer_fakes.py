"""Stores for a buffered logger, with the answers of the real ones."""

import random

from agent_memory.core.errors import Unavailable
from agent_memory.core.json_values import canonical_json

CONTEXT = {"market": {"volatility": "high", "trend": "bullish"}, "cycle": 142}
REASONING = {"scores": {"whaleMovements": 0.92}, "selected": ["whaleMovements"]}


async def log_some(logger, count, start=0):
    """Log decisions numbered from `start` on and return their ids."""
    return [await logger.log_decision("QUERY", {"n": n}, REASONING) for n in range(start, start + count)]


class FakeStore:
    """Keeps what it is given; `calls` has every request, `decisions` and `outcomes` what took effect, in order."""

    agent_id = "hunter"

    def __init__(self):
        self.decisions = {}
        self.outcomes = {}
        self.calls = []

    def log_decisions(self, drafts):
        self._note("decisions", drafts)
        return [self._log(draft) for draft in drafts]

    def log_outcomes(self, reports):
        self._note("outcomes", reports)
        return [self._record(report) for report in reports]

    def get_decision(self, decision_id):
        self._note("get", [decision_id])
        return self.decisions[decision_id]

    def _note(self, name, items):
        self.calls.append((name, items))

    def _log(self, draft):
        return _written(self.decisions, draft["decision_id"], draft, "created")

    def _record(self, report):
        decision_id = report["decision_id"]
        if decision_id not in self.decisions:
            error = {"code": "not_found", "message": "there is no such decision"}
            return {"decision_id": decision_id, "status": "not_found", "error": error}
        return _written(self.outcomes, decision_id, report, "recorded")


class Down(FakeStore):
    """Does not answer."""

    def log_decisions(self, drafts):
        self._note("decisions", drafts)
        raise Unavailable("the table is away")

    def log_outcomes(self, reports):
        self._note("outcomes", reports)
        raise Unavailable("the table is away")


class Faulty(FakeStore):
    """Fails three requests in ten before they take effect, and three in ten after."""

    def __init__(self, seed):
        super().__init__()
        self._random = random.Random(seed)

    def log_decisions(self, drafts):
        return self._maybe(super().log_decisions, drafts)

    def log_outcomes(self, reports):
        return self._maybe(super().log_outcomes, reports)

    def _maybe(self, call, items):
        luck = self._random.random()
        if luck < 0.3:
            raise Unavailable("throttled")
        answers = call(items)
        if luck < 0.6:
            raise Unavailable("the answer was cut off")
        return answers


def _written(kept, decision_id, content, fresh):
    known = kept.setdefault(decision_id, content)
    if known is content:
        return {"decision_id": decision_id, "status": fresh}
    if canonical_json(known) == canonical_json(content):
        return {"decision_id": decision_id, "status": "unchanged"}
    return {"decision_id": decision_id, "status": "conflict", "error": {"code": "conflict", "message": "is another"}}
