"""Every number on a page is the one that the classes and commands of the package return."""

import csv
import io
import json
from datetime import date, timedelta

import pytest

from agent_memory import DecisionLogger, MemoryAnalytics, MemoryManager
from agent_memory.archive.verification import verification_of
from agent_memory.cli.nightly import status_of
from agent_memory.core.keys import accesses_prefix, report_key
from agent_memory.memory.experiment_results import experiment_results
from agent_memory.memory.short_term import ShortTermMemory
from agent_memory.model.memories import MemoryType
from agent_memory.ports.short_term import ReadCounters
from tests.console.client import Client
from tests.console.data import AGENT, LAST_DAY, NOW, RULE, clock, console_of, fill, run_jobs

pytestmark = pytest.mark.slow  # the nightly jobs of a month run before the first test


@pytest.fixture
def log(filled):
    return DecisionLogger(AGENT, stores=filled, clock=clock())


@pytest.fixture
def memory(filled):
    return MemoryManager(AGENT, stores=filled, clock=clock())


def picked(rows, *names):
    return [{name: row[name] for name in names} for row in rows]


RATES = ("with_outcome", "succeeded", "success_rate", "low", "high")


async def test_decisions(client, log):
    page = await client.page("/decisions")
    expected = (await log.page_decisions(limit=50))["decisions"]
    assert len(expected) == 50
    shown = page.rows("decisions")
    assert [row["propensity"] for row in shown] == [one["propensity"] for one in expected]
    assert [row["memories"] for row in shown] == [len(one["memory_ids"]) for one in expected]
    assert [f"/agents/{AGENT}/decisions/{one['decision_id']}" in page.links for one in expected] == [True] * 50


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("type=TRADE", {"decision_type": "TRADE"}),
        ("outcome=failed", {"success_filter": False}),
        ("outcome=pending", {"success_filter": "pending"}),
        ("context=trend%3Ddown", {"context_filter": {"trend": "down"}}),
        ("from=2026-11-18&to=2026-11-18", {"time_range": ("2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z")}),
    ],
)
async def test_filters_are_those_of_the_log(client, log, query, arguments):
    rows = await csv_rows(client, f"/decisions?{query}&csv=decisions")
    expected = await log.page_decisions(**arguments, limit=50)
    assert expected["decisions"]
    assert [row["timestamp"] for row in rows] == [one["timestamp"] for one in expected["decisions"]]


@pytest.mark.parametrize(
    ("query", "meets"),
    [
        ("source=chart", lambda one: one["reasoning"]["source"] == "chart"),
        ("symbol=MSFT", lambda one: one["context"]["symbol"] == "MSFT"),
        (
            "text=NUMBER+7",
            lambda one: "7" in str([one[x] for x in ("context", "reasoning", "metadata", "outcome", "decision_id")]),
        ),
        ("text=breakouts-fail", lambda one: RULE in one["memory_ids"]),
    ],
)
async def test_filters_beyond_the_log_find_the_decisions_that_meet_them(client, log, query, meets):
    rows = await csv_rows(client, f"/decisions?{query}&csv=decisions")
    expected = [one["timestamp"] for one in await log.query_decisions(limit=1000) if meets(one)]
    assert rows
    assert [row["timestamp"] for row in rows] == expected[: len(rows)]


async def csv_rows(client, path, agent=AGENT):
    response = await client.raw(f"/agents/{agent}{path}")
    assert response.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_one_decision(client, log):
    decision = next(one for one in await log.query_decisions(limit=1000) if one["other_outcomes"] and one["memory_ids"])
    page = await client.page(f"/decisions/{decision['decision_id']}")
    scores = decision["reasoning"]["scores"]
    assert [row["values"] for row in page.rows("scores")] == [
        [score] for score in sorted(scores.values(), reverse=True)
    ]
    assert page.figures["propensity"] == decision["propensity"]
    assert len(page.rows("outcomes")) == 1 + len(decision["other_outcomes"])
    (named,) = page.rows("memories")
    assert named["confidence"] == 0.7
    assert named["version"] == 2
    chain = await log.get_decision_chain(decision["decision_id"])
    assert len(page.rows("chain")) == len(chain)


async def test_memories_of_a_decision_are_shown_as_they_were(tmp_path):
    stores = fill(f"sqlite:///{tmp_path}/memory.db", days=1)
    memory = MemoryManager(AGENT, stores=stores, clock=clock(hours=1)).sync
    log = DecisionLogger(AGENT, stores=stores, clock=clock()).sync
    decision_id = log.log_decision("TRADE", {}, {}, memory_ids=[RULE])
    memory.update_ltm_confidence(RULE, 0.125, reason="later")
    page = await Client(console_of(stores)).page(f"/decisions/{decision_id}")
    assert picked(page.rows("memories"), "confidence", "version") == [{"confidence": 0.7, "version": 2}]


async def test_overview_and_performance(client, log, memory, filled):
    overview = await client.page("")
    status = status_of(AGENT, LAST_DAY, filled)
    assert status["days_due"] == 0
    assert overview.figures["archived_days"] == len(filled.archive.days(AGENT)) > 0
    results = experiment_results(filled.memories.by_confidence(AGENT, "EXPERIMENT"))
    assert results
    assert [row["uplift"] for row in overview.rows("experiments")] == [one["uplift"] for one in results]
    page = await client.page("/performance?days=30")
    since = (NOW.replace(hour=0) - timedelta(days=29)).isoformat()
    analytics = MemoryAnalytics(log, memory, clock=clock())
    contexts = await analytics.get_success_rate_by_context((since, None))
    assert picked(page.rows("contexts"), "decisions", *RATES) == picked(contexts, "decisions", *RATES)
    sources = await analytics.get_source_effectiveness((since, None))
    assert picked(page.rows("sources"), *RATES) == picked(sources, *RATES)
    by_type = await log.analyze_decision_patterns(time_range=(since, None), group_by="type")
    assert page.figures["decisions"] == by_type["total"]["count"]
    groups = {one["group"]: one for one in by_type["groups"]}
    assert {row["decisions"] for row in page.rows("types")} == {one["count"] for one in groups.values()}


async def test_memories_and_one_memory(client, memory):
    page = await client.page("/memories")
    found = await memory.retrieve_ltm("PATTERN", as_of=NOW)
    names = {"confidence": "confidence", "success_rate": "success_rate", "base_rate": "base_rate", "version": "version"}
    assert [{to: row[to] for to in names.values()} for row in page.rows("memories")] == [
        {name: one.get(name) for name in names} for one in found
    ]
    one = await client.page(f"/memories/PATTERN/{RULE}")
    stored = await memory.get_ltm("PATTERN", RULE)
    assert one.figures["confidence"] == stored["confidence"]
    assert one.figures["version"] == stored["version"]
    influence = await client.page(f"/influence/{RULE}")
    expected = (await memory.influence(RULE))["outcomes"]
    assert picked(influence.rows("outcomes"), "decisions", *RATES) == picked(expected.values(), "decisions", *RATES)
    history = await client.page(f"/history/PATTERN/{RULE}")
    assert [row["version"] for row in history.rows("history")] == [
        one["version"] for one in reversed(await memory.get_ltm_history("PATTERN", RULE))
    ]


async def test_looking_at_memories_is_not_counted_as_reading_them(client, filled):
    def counted():
        return {key: dict(value) for key, value in reads_of(filled).items()}

    before = counted()
    for path in ("/memories", f"/memories/PATTERN/{RULE}", f"/influence/{RULE}", "/memories?as_of=2026-11-01"):
        await client.page(path)
    assert counted() == before


def reads_of(stores):
    key = f"{accesses_prefix(AGENT)}{NOW:%Y-%m-%d}"
    (counts,) = ShortTermMemory(AGENT, stores.short_term).run([ReadCounters(key)])
    return {key: counts}


async def test_estimates_are_those_of_advice(client, memory):
    page = await client.page("/memories?type=ESTIMATE")
    estimates = await memory.retrieve_ltm("ESTIMATE", as_of=NOW)
    assert estimates
    for number, estimate in enumerate(estimates, start=1):
        options = [one["option"] for one in estimate["success"]["options"]]
        for row, situation in zip(page.rows(f"heat-{number}"), situations(estimate), strict=False):
            advice = await memory.advise(estimate["decision_type"], situation, options, choice=estimate["choice"])
            assert row["values"] == [one["expected"] for one in advice["options"]]


def situations(estimate):
    """The first two contexts of a heat map: of each fact the first value, then of the last one the second."""
    first = [one[0] for one in estimate["facts"]]
    found = [first]
    if first and len(estimate["facts"][-1]) > 1:
        found.append([*first[:-1], estimate["facts"][-1][1]])
    contexts = []
    for facts in found:
        context = {}
        for fact in facts:
            path, _, value = fact.removeprefix("context.").partition("=")
            *parents, name = path.split(".")
            place = context
            for parent in parents:
                place = place.setdefault(parent, {})
            place[name] = value
        contexts.append(context)
    return contexts


async def test_advice_and_recall(client, memory):
    page = await client.page("/advise?type=TRADE&options=buy,sell&context=trend%3Dup&choose=greedy&seed=1")
    advice = await memory.advise("TRADE", {"trend": "up"}, ["buy", "sell"], choose="greedy", seed="1")
    assert [(row["success_rate"], row["low"], row["high"]) for row in page.rows("options")] == [
        (one["expected"], *one["interval"]) for one in advice["options"]
    ]
    assert {row["option"]: row["propensity"] for row in page.rows("options")} == {
        one["option"]: one["propensity"] for one in advice["choice"]["propensities"]
    }
    page = await client.page("/recall?q=breakouts&top=5&as_of=2026-11-19")
    found = await memory.recall("breakouts", top_k=5, explain=True, as_of="2026-11-20T00:00:00Z")
    assert [row["score"] for row in page.rows("recalled")] == [one["score"] for one in found]


async def test_nightly_jobs(client, filled):
    page = await client.page("/nightly")
    report = json.loads(filled.blobs.read(report_key(AGENT, LAST_DAY)))
    first = page.rows("reports")[0]
    for name in ("with_outcome", "without_outcome", "active_patterns", "mean_confidence", "damaged"):
        assert first[name] == report[name]
    assert picked(page.rows("types"), *RATES) == picked(report["by_type"].values(), *RATES)


@pytest.mark.parametrize("day", ["2026-11-10", "2026-11-19"])
async def test_what_a_nightly_job_learned(client, memory, day):
    page = await client.page(f"/learned?day={day}")
    end = f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00.001Z"
    learned = [one for kind in MemoryType for one in await memory.retrieve_ltm(str(kind), as_of=end)]
    learned = [one for one in learned if one["updated_at"].startswith(end[:19])]
    assert {"ESTIMATE", "EXPERIMENT"} <= {one["memory_type"] for one in learned}
    assert RULE not in {one["pattern_id"] for one in learned}  # an agent stored it
    shown = page.rows("learned")
    assert picked(shown, "version") == picked(learned, "version")
    assert [row["pattern_id"] for row in shown] == [one["pattern_id"] for one in learned]


async def test_a_decision_without_memory_names_the_experiment(client, log):
    decisions = (await log.page_decisions(limit=50))["decisions"]
    by_withheld = {one["metadata"]["experiments"][0]["withheld"]: one["decision_id"] for one in decisions}
    for withheld, decision_id in by_withheld.items():
        page = await client.page(f"/decisions/{decision_id}")
        assert ("The experiment memory withheld memory from it" in page.visible) is withheld
    assert len(by_withheld) == 2


async def test_csv_of_decisions_names_them_and_has_all_columns(client, log):
    rows = await csv_rows(client, "/decisions?csv=decisions")
    expected = (await log.page_decisions(limit=50))["decisions"]
    assert [row["decision_id"] for row in rows] == [one["decision_id"] for one in expected]
    assert {"symbol", "source", "propensity"} <= rows[0].keys()


async def test_a_column_that_no_row_states_is_left_out(client):
    estimates = (await client.page("/memories?type=ESTIMATE")).rows("memories")
    assert all("confidence" not in row and "sample_size" in row for row in estimates)
    assert "confidence" in (await csv_rows(client, "/memories?type=ESTIMATE&csv=memories"))[0]


async def test_archive_and_its_verification(filled):
    client = Client(console_of(filled))
    assert (await client.post("/archive/verify")).status_code == 303
    work = await client.ended("verification")
    page = await client.page("/archive")
    expected = verification_of(AGENT, filled).as_dict()
    assert expected["clean"]
    assert {name: page.figures[name] for name in ("days", "decisions", "manifests")} == {
        name: expected[name] for name in ("days", "decisions", "manifests")
    }
    assert work.done == work.total == len(filled.archive.days(AGENT))
    manifests = [filled.archive.manifest(AGENT, day).as_dict() for day in reversed(filled.archive.days(AGENT))]
    names = ("rows", "with_outcome", "sequence", "revision", "file_bytes")
    assert picked(page.rows("days"), *names) == picked(manifests, *names)


async def test_cost(filled, tmp_path):
    page = await Client(console_of(filled, templates=tmp_path)).page("/estimate")
    assert "There is no estimate" in page.visible
    assert str(tmp_path) in page.visible


async def test_agents(client, filled):
    response = await client.raw("/agents")
    assert response.status_code == 200
    assert "No memory was acted on by several agents" in response.text


async def test_earnings_name_the_memory_that_cost_most(client, log):
    page = await client.page("/earnings?days=365")
    named = [one for one in await log.query_decisions(limit=1000) if RULE in one["memory_ids"]]
    rows = page.rows("earnings")
    assert sum(row["decisions"] for row in rows) == len(named)
    assert sum(row["reward"] for row in rows) == sum(one["outcome"]["pnl"] for one in named if one["outcome"])


async def test_a_changed_file_is_a_finding_on_the_archive_and_on_the_decision(tmp_path):
    stores = fill(f"sqlite:///{tmp_path}/memory.db", days=32, a_day=1)
    run_jobs(stores)
    (day, *_) = stores.archive.days(AGENT)
    (file,) = (one for one in tmp_path.rglob("decisions.parquet") if day.isoformat() in str(one))
    file.write_bytes(file.read_bytes()[:-9] + b"x" + file.read_bytes()[-8:])
    client = Client(console_of(stores))
    await client.post("/archive/verify")
    await client.ended("verification")
    page = await client.page("/archive")
    assert page.rows("findings")
    assert "Unchanged since sealed" not in page.visible
    first = DecisionLogger(AGENT, stores=stores, clock=clock()).sync.query_decisions(limit=1, newest_first=False)
    seal = await client.page(f"/decisions/{first[0]['decision_id']}/seal")
    assert "Changed." in seal.visible


async def test_decisions_are_shown_as_they_were_known_at_a_time(tmp_path):
    stores = fill(f"sqlite:///{tmp_path}/memory.db", days=3)
    later = DecisionLogger(AGENT, stores=stores, clock=clock(hours=48)).sync
    decision_id = DecisionLogger(AGENT, stores=stores, clock=clock()).sync.log_decision("TRADE", {}, {})
    later.log_outcome(decision_id, {"pnl": 1}, success=True)
    client = Client(console_of(stores))
    day = f"{NOW:%Y-%m-%d}"
    for query, outcome in (("", "succeeded"), (f"?as_of={day}", "pending")):
        page = await client.page(f"/decisions/{decision_id}{query}")
        assert (len(page.rows("outcomes")) if "outcomes" in page.tables else 0) == (outcome == "succeeded")
        first = (await csv_rows(client, f"/decisions{query or '?'}&csv=decisions"))[0]
        assert first["success"] == ("true" if outcome == "succeeded" else "")
    assert len(await csv_rows(client, f"/decisions?as_of={day}&outcome=pending&csv=decisions")) > 0
    assert await csv_rows(client, "/decisions?as_of=2026-11-01&csv=decisions") == []


async def test_what_is_dated_is_of_the_time_in_the_address(client, memory, filled):
    day = "2026-11-10"
    overview = await client.page(f"?as_of={day}")
    report = json.loads(filled.blobs.read(report_key(AGENT, date(2026, 11, 10))))
    assert overview.figures["active_patterns"] == report["active_patterns"]
    assert f"/agents/{AGENT}/memories?as_of={day}" in overview.links
    find = memory.direct.long_term.find
    for path, at in ((f"/experiments?as_of={day}", "2026-11-11T00:00:00Z"), ("/experiments", None)):
        expected = experiment_results(find("EXPERIMENT", as_of=at))
        page = await client.page(path)
        names = ("memory", "holdout")
        assert [[row[f"{name}_units"] for name in names] for row in page.rows("experiments")] == [
            [one[name]["units"] for name in names] for one in expected
        ]
        assert expected
    (pattern,) = (await memory.get_ltm_history("PATTERN", RULE))[:1]
    history = await client.page(f"/history/PATTERN/{RULE}?as_of={pattern['at'][:10]}")
    assert [row["version"] for row in history.rows("history")] != []
    assert "This page shows the present" in (await client.page(f"/cost?as_of={day}")).visible
