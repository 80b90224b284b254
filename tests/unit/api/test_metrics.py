"""The product's metrics: each is listed, and each says what happened."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent_memory.api import entry as api
from agent_memory.api.observability import metrics
from agent_memory.api.routers import decisions as decision_routes
from agent_memory.core import metric_names
from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.nightly.consolidation import memory_correlation
from tests.http_events import Context, http_event

ROOT = Path(__file__).parents[3]
PATH = "/v1/agents/hunter"


@pytest.fixture
def put(served):
    """Sends a request and returns the values that were put, by metric."""

    def answered(method, path, body=None):
        api.resolve(http_event(method, f"{PATH}/{path}", body), Context())
        found = {name: one["Value"] for name, one in metrics.provider.metric_set.items()}
        metrics.provider.metric_set.clear()
        return found

    return answered


def test_the_docs_list_every_metric():
    rows = [
        line.split("|")[1:4] for line in (ROOT / "docs" / "metrics.md").read_text().splitlines() if line[:3] == "| `"
    ]
    listed = [tuple(cell.strip() for cell in row) for row in rows]
    assert listed == [(f"`{one.name}`", str(one.unit), one.meaning) for one in metric_names.ALL]


def test_reads_of_short_term_memory_are_hits_misses_and_failures(put, served, monkeypatch):
    put("PUT", "memory/stm/a", {"data": 1, "ttl_seconds": 60})
    assert put("GET", "memory/stm/a") == {"STMHitRate": [100.0]}
    assert put("GET", "memory/stm/b") == {"STMHitRate": [0.0]}
    assert put("GET", "decisions") == {}

    def down(*_):
        raise Unavailable("Redis did not respond")

    monkeypatch.setattr(served.short_term, "run", down)
    assert put("GET", "memory/stm/a") == {"STMFailures": [1]}
    assert put("GET", "memory/ltm/PATTERN") == {}


def test_decisions_that_rest_on_memories_are_counted(put, caplog):
    draft = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    given = [draft, {**draft, "memory_ids": ["pump"]}, {"decision_type": "no"}]
    told = put("POST", "decisions/batch", {"decisions": given})
    assert told.pop("DecisionLatency")[0] > 0
    assert told == {"DecisionsLogged": [2], "DecisionsInfluenced": [1]}


def test_outcomes_are_told_in_a_log_line(put, monkeypatch):
    told = []
    monkeypatch.setattr(decision_routes.logger, "info", lambda message, **fields: told.append((message, fields)))
    report = {"decision_id": new_decision_id("QUERY", 5), "outcome": {}, "success": True}
    assert put("POST", "outcomes/batch", {"outcomes": [report]}) == {}
    assert told == [("outcomes", {"logged": 0})]


def test_a_metric_is_sent_by_the_request_by_the_night_or_on_failure():
    sent = {rate: [m.name for m in metric_names.ALL if m.frequency is rate] for rate in metric_names.Frequency}
    assert sent[metric_names.Frequency.ON_FAILURE] == ["STMFailures"]
    assert sent[metric_names.Frequency.HOURLY] == [
        "DecisionsLogged",
        "DecisionLatency",
        "DecisionsInfluenced",
        "STMHitRate",
    ]


def test_while_the_cache_is_away_queries_are_counted_by_the_process(served, monkeypatch):
    def down(*_):
        raise Unavailable("Redis did not respond")

    monkeypatch.setattr(served.short_term, "run", down)
    body = {"limit": 2, "window_seconds": 60}
    answers = [api.resolve(http_event("POST", f"{PATH}/memory/rate-limits/a", body), Context()) for _ in range(3)]
    assert [json.loads(one["body"])["allowed"] for one in answers] == [True, True, False]


@pytest.mark.parametrize(
    ("with_memory", "without", "expected"),
    [
        ([True] * 5, [False] * 5, 1.0),
        ([False] * 5, [True] * 5, -1.0),
        ([True, False] * 4, [True, False] * 4, 0.0),
        ([True, True, True, False], [True, False, False, False], 0.5),
        ([True, False], [], None),
        ([], [], None),
        ([True], [True], None),
    ],
)
def test_the_correlation_of_memory_and_success(with_memory, without, expected):
    def decided(success, memory_ids):
        one = new_decision_id("QUERY", 5)
        return Decision("hunter", one, "QUERY", 5, {}, {}, outcome=Outcome(success, {}, {}, 5), memory_ids=memory_ids)

    made = [decided(one, ("pump",)) for one in with_memory] + [decided(one, ()) for one in without]
    pending = replace(decided(True, ("pump",)), outcome=None)
    found = memory_correlation([*made, pending])
    assert found == (expected if expected is None else pytest.approx(expected))
