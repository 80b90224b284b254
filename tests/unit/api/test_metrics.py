"""The metrics: each is documented and has the right values."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent_memory.api import entry as api
from agent_memory.api.observability import metrics
from agent_memory.api.routers import decisions as decision_routes
from agent_memory.core import metric_names
from agent_memory.core.errors import Unavailable
from agent_memory.core.ids import new_decision_id
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.nightly.consolidation import memory_correlation
from agent_memory.nightly.reading import ReadDecision
from tests.http_events import Context, http_event

ROOT = Path(__file__).parents[3]
PATH = "/v1/agents/hunter"


@pytest.fixture
def metrics_of(served):
    """A function that sends a request and returns the values that were added, by metric."""

    def send(method, path, body=None):
        api.resolve(http_event(method, f"{PATH}/{path}", body), Context())
        values = {name: metric["Value"] for name, metric in metrics.provider.metric_set.items()}
        metrics.provider.metric_set.clear()
        return values

    return send


def test_the_docs_list_every_metric():
    rows = [
        line.split("|")[1:4] for line in (ROOT / "docs" / "metrics.md").read_text().splitlines() if line[:3] == "| `"
    ]
    listed = [tuple(cell.strip() for cell in row) for row in rows]
    assert listed == [(f"`{one.name}`", str(one.unit), one.meaning) for one in metric_names.ALL]


def test_reads_of_short_term_memory_are_hits_misses_and_failures(metrics_of, served, monkeypatch):
    metrics_of("PUT", "memory/stm/a", {"data": 1, "ttl_seconds": 60})
    assert metrics_of("GET", "memory/stm/a") == {"STMHitRate": [100.0]}
    assert metrics_of("GET", "memory/stm/b") == {"STMHitRate": [0.0]}
    assert metrics_of("GET", "decisions") == {}

    def down(*_):
        raise Unavailable("Redis did not respond")

    monkeypatch.setattr(served.short_term, "run", down)
    assert metrics_of("GET", "memory/stm/a") == {"STMFailures": [1]}
    assert metrics_of("GET", "memory/ltm/PATTERN") == {}


def test_a_request_does_not_count_its_decisions_which_the_stream_of_the_table_does(metrics_of):
    decision = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    values = metrics_of("POST", "decisions/batch", {"decisions": [decision, {"decision_type": "no"}]})
    assert values.pop("DecisionLatency")[0] > 0
    assert values == {}


def test_a_decisions_own_latency_takes_the_place_of_the_time_to_log_it(metrics_of):
    decision = {"decision_type": "QUERY", "context": {}, "reasoning": {}}
    timed = [{**decision, "metadata": {"latency_ms": value}} for value in (1_200, 0.5, True, "3", -1)]
    values = metrics_of("POST", "decisions/batch", {"decisions": [decision, *timed]})
    assert values["DecisionLatency"] == [1_200, 0.5]
    values = metrics_of("POST", "decisions", timed[0])
    assert values["DecisionLatency"] == [1_200]


@pytest.mark.parametrize("field", ["metrics", "outcome"])
def test_the_latency_of_an_outcome_is_that_of_its_decision(metrics_of, field):
    decision_id = new_decision_id("QUERY")
    metrics_of(
        "POST", "decisions", {"decision_type": "QUERY", "context": {}, "reasoning": {}, "decision_id": decision_id}
    )
    outcome = {"decision_id": decision_id, "outcome": {}, "success": True, field: {"latency_ms": 1_200}}
    assert metrics_of("POST", "outcomes/batch", {"outcomes": [outcome]}) == {"DecisionLatency": [1_200]}
    assert metrics_of("POST", "outcomes/batch", {"outcomes": [outcome]}) == {}  # it is known already


def test_outcomes_are_counted_in_a_log_line(metrics_of, monkeypatch):
    logged = []
    monkeypatch.setattr(decision_routes.logger, "info", lambda message, **fields: logged.append((message, fields)))
    outcome = {"decision_id": new_decision_id("QUERY", 5), "outcome": {}, "success": True}
    assert metrics_of("POST", "outcomes/batch", {"outcomes": [outcome]}) == {}
    assert logged == [("outcomes", {"logged": 0})]


def test_each_metric_is_sent_hourly_nightly_or_on_failure():
    sent = {
        frequency: [metric.name for metric in metric_names.ALL if metric.frequency is frequency]
        for frequency in metric_names.Frequency
    }
    assert sent[metric_names.Frequency.ON_FAILURE] == ["STMFailures"]
    assert sent[metric_names.Frequency.HOURLY] == [
        "DecisionsLogged",
        "DecisionLatency",
        "STMHitRate",
    ]


def test_while_the_cache_is_unavailable_queries_are_counted_by_the_process(served, monkeypatch):
    def down(*_):
        raise Unavailable("Redis did not respond")

    monkeypatch.setattr(served.short_term, "run", down)
    body = {"limit": 2, "window_seconds": 60}
    responses = [api.resolve(http_event("POST", f"{PATH}/memory/rate-limits/a", body), Context()) for _ in range(3)]
    assert [json.loads(one["body"])["allowed"] for one in responses] == [True, True, False]


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
    def decision(success, memory_ids):
        one = new_decision_id("QUERY", 5)
        return Decision("hunter", one, "QUERY", 5, {}, {}, outcome=Outcome(success, {}, {}, 5), memory_ids=memory_ids)

    decisions = [decision(one, ("pump",)) for one in with_memory] + [decision(one, ()) for one in without]
    pending = replace(decision(True, ("pump",)), outcome=None)
    read = [(ReadDecision.of(one), one.outcome.success if one.outcome else None) for one in [*decisions, pending]]
    found = memory_correlation(read)["memory_correlation"]
    assert found == (expected if expected is None else pytest.approx(expected))


def test_a_memory_named_by_a_coin_is_not_correlated_with_success():
    """Types differ in their success and in how often they name memories, which is no merit of the memories."""
    chance = random.Random(5)
    rates = {
        "SOURCE_SELECTION": (0.95, 0.9),
        "QUERY": (0.99, 0.0),
        "SIGNAL_GENERATION": (0.5, 0.5),
        "LEARNING": (0.4, 0.1),
    }
    read = []
    for kind, (success, share) in rates.items():
        for n in range(2_000):
            memory_ids = ("pump",) if chance.random() < share else ()
            one = Decision("hunter", new_decision_id(kind, n), kind, n, {}, {}, memory_ids=memory_ids)
            read.append((ReadDecision.of(one), chance.random() < success))
    pooled = np.corrcoef([one.uses_memory for one, _ in read], [success for _, success in read])[0, 1]
    found = memory_correlation(read)
    assert abs(pooled) > 0.05
    assert abs(found["memory_correlation"]) < 0.03
    assert set(found["memory_correlation_by_type"]) == {"SOURCE_SELECTION", "SIGNAL_GENERATION", "LEARNING"}
    assert all(abs(one["correlation"]) < 0.06 for one in found["memory_correlation_by_type"].values())
    assert {one["n"] for one in found["memory_correlation_by_type"].values()} == {2_000}
