"""Filters that stores evaluate select exactly what the rule of all filters selects, and pages are cut without loss."""

import base64
import json
from datetime import date
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS, Span
from agent_memory.core.conditions import canonical_parts, meets
from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import canonical_json
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.model.decision_text import has_words
from agent_memory.model.decisions import Decision, matches_context
from agent_memory.nightly.archival import archive_due_days
from agent_memory.ports.decisions import Selection
from tests.contract.damage import ITEMS, damage_decision, keeps_items
from tests.contract.samples import NOW, decision, new_agent, record

ALL = Span(0, NOW + DAY_MS)
PER_STORE = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BIG = (2**53, 2**53 + 1, 10**23, int(1e23), 1e23, 1.5e100, 10**37, -(2**60))

names = st.sampled_from(["a", "b", "market", "trend", "x.y", "größe", 'q"', "#f0_", ":f0_", "size", "[0]"])
texts = st.sampled_from(["", "bullish", "a", 'a"b', "ü", ":f1_", "true", "1"])
numbers = st.sampled_from([0, 1, -1, 1.0, -0.0, 0.1, 1e-9, 2.5, *BIG])
values = st.recursive(
    st.one_of(st.none(), st.booleans(), texts.filter(bool), numbers),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
contexts = st.dictionaries(names, values, max_size=4)


def parts_of(context):
    """Conditions that a context may meet: some of its members, or of its market's, and of their members."""
    market = context.get("market")
    members = {**(market if isinstance(market, dict) else {}), **context}
    if not members:
        return st.just({})
    chosen = st.lists(st.sampled_from(sorted(members)), min_size=1, max_size=2, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: part_of(members[name]) for name in names}))


def part_of(value):
    if isinstance(value, dict) and value:
        return st.one_of(
            st.just(value), parts_of({"": 0, **value}).map(lambda one: {k: v for k, v in one.items() if k})
        )
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        return st.sampled_from([value, float(value)] + ([int(value)] if len(str(int(value))) < 38 else []))
    return st.just(value)


contexts_and_conditions = st.lists(contexts, min_size=1, max_size=5).flatmap(
    lambda made: st.tuples(st.just(made), st.one_of(contexts, *[parts_of(one) for one in made]))
)


def ids(decisions):
    return [one.decision_id for one in decisions]


@PER_STORE
@given(case=contexts_and_conditions, newest_first=st.booleans())
def test_a_store_selects_by_context_what_the_rule_selects(stores, case, newest_first):
    made, conditions = case
    agent = new_agent()
    decisions = [
        Decision(agent, new_decision_id("QUERY", NOW + n), "QUERY", NOW + n, one, {}) for n, one in enumerate(made)
    ]
    stores.decisions.insert(decisions)
    expected = [one.decision_id for one in decisions if matches_context(one.context, conditions)]
    selection = Selection(agent, "QUERY", context=conditions)
    found = ids(stores.decisions.scan(selection, ALL, newest_first=newest_first))
    assert found == (expected[::-1] if newest_first else expected)


@given(case=contexts_and_conditions)
def test_what_meets_conditions_has_their_texts(case):
    made, conditions = case
    for one in made:
        if meets(one, conditions):
            text = canonical_json({"n": 1, "context": one})
            assert all(part in text for part in canonical_parts(conditions))


words_of = st.sampled_from(
    ["Größe", "STRASSE", "straße", "50%", "5_0", "q\\", 'a"b', "\u212aelvin", "aapl", "null", "{}"]
)
said = st.dictionaries(words_of, words_of, max_size=2)


@PER_STORE
@given(
    made=st.lists(st.tuples(said, said, st.none() | said), min_size=1, max_size=5),
    text=st.sampled_from(
        ["größe", "strasse", "ß", "5", "%", "_", "50% aapl", "\\", '"', "kelvin", "AAPL", "a", "{}", "null", "nothing"]
    ),
)
def test_a_store_selects_by_words_what_the_rule_selects(stores, made, text):
    agent = new_agent()
    decisions = [
        Decision(agent, new_decision_id("QUERY", NOW + n), "QUERY", NOW + n, context, reasoning)
        for n, (context, reasoning, _) in enumerate(made)
    ]
    stores.decisions.insert(decisions)
    for one, (_, _, outcome) in zip(decisions, made, strict=True):
        if outcome is not None:
            record(stores, one, details=outcome)
    stored = stores.decisions.get([one.key for one in decisions])
    expected = [one.decision_id for one in stored if has_words(one, text.split())]
    found = ids(stores.decisions.scan(DecisionFilter("QUERY", text=text).selection(agent, 1), ALL, newest_first=False))
    assert found == expected


def test_words_are_found_in_every_part_in_capitals_or_not(stores):
    one = decision(symbol="AAPL")
    stores.decisions.insert([one])
    record(stores, one, details={"why": "Stop hit"})

    def found(text):
        return ids(stores.decisions.scan(DecisionFilter("QUERY", text=text).selection("hunter", 1), ALL))

    for text in ("aapl", "STOP hit", one.decision_id.upper(), "symbol", "hit aapl"):
        assert found(text) == [one.decision_id]
    for text in ("msft", "aapl msft", "hunter"):
        assert found(text) == []


@PER_STORE
@given(
    outcomes=st.lists(st.sampled_from([None, True, False]), min_size=1, max_size=6),
    success=st.sampled_from([None, True, False, "pending"]),
    context=st.sampled_from([None, {"even": True}, {"trend": "bullish", "even": False}]),
    shards=st.sampled_from([1, 3]),
)
def test_a_store_selects_by_outcome_and_context_together(stores, outcomes, success, context, shards):
    agent = new_agent()
    decisions = [decision(NOW + n, agent=agent, shards=shards, even=n % 2 == 0) for n in range(len(outcomes))]
    stores.decisions.insert(decisions)
    for one, outcome in zip(decisions, outcomes, strict=True):
        if outcome is not None:
            record(stores, one, success=outcome)
    criteria = DecisionFilter("QUERY", success=success, context=context)
    expected = [
        one.decision_id
        for one, outcome in zip(decisions, outcomes, strict=True)
        if (success is None or outcome is (None if success == "pending" else success))
        and (context is None or matches_context(one.context, context))
    ]
    assert ids(stores.decisions.scan(criteria.selection(agent, shards), ALL, newest_first=False)) == expected


def test_a_store_returns_no_more_than_what_is_selected(stores):
    if not keeps_items(stores):
        pytest.skip("there are no requests in which a filter could be left out")
    agent = new_agent()
    stores.decisions.insert([decision(NOW + n, agent=agent, n=n, even=n % 2 == 0) for n in range(40)])
    read = []
    query = stores.decisions._client.query

    class Counting:
        def __getattr__(self, name):
            return getattr(stores.decisions._client, name)

        def query(self, **request):
            answer = query(**request)
            read.append((answer["Count"], answer["ScannedCount"]))
            return answer

    stores.decisions._scans._client = Counting()
    for conditions, expected in (({"n": 7}, 1), ({"even": True, "trend": "bullish"}, 20), ({"n": 50}, 0)):
        read.clear()
        found = list(stores.decisions.scan(Selection(agent, "QUERY", context=conditions), ALL))
        assert (len(found), sum(count for count, _ in read), sum(scanned for _, scanned in read)) == (
            expected,
            expected,
            40,
        )


def test_conditions_that_are_too_many_for_one_request_are_still_met(stores):
    agent = new_agent()
    nested = {f"m{n}": {f"k{k}": {"list": list(range(40))} for k in range(40)} for n in range(40)}
    wide = {f"name-{n:04d}": "x" * 20 for n in range(400)}
    deep = {"deep": json.loads('{"d":' * 26 + "1" + "}" * 26)}
    made = [decision(NOW + n, agent=agent, **one) for n, one in enumerate((nested, wide, deep))]
    stores.decisions.insert(made)
    for expected, conditions in zip(made, (nested, wide, deep), strict=True):
        found = list(stores.decisions.scan(Selection(agent, "QUERY", context=conditions), ALL))
        assert ids(found) == [expected.decision_id]
    almost = {**wide, "name-0399": "y"}
    assert not list(stores.decisions.scan(Selection(agent, "QUERY", context=almost), ALL))


def test_a_context_that_is_in_the_bucket_is_compared_too(stores):
    large = {"note": "x" * 500_000, "side": "buy"}
    stores.decisions.insert(
        [decision(**large), decision(NOW + 1, side="buy"), decision(NOW + 2, **large | {"side": "no"})]
    )
    selection = Selection("hunter", "QUERY", context={"side": "buy"})
    assert len(list(stores.decisions.scan(selection, ALL))) == 2


@pytest.mark.parametrize("kind", [kind for kind in ITEMS if kind not in {"a lost part", "a pointer of another type"}])
@pytest.mark.parametrize(
    "criteria", [DecisionFilter(context={"even": True}), DecisionFilter("QUERY", context={"n": 1})]
)
def test_a_damaged_decision_that_may_have_met_a_filter_is_named(stores, clock, kind, criteria):
    log = DecisionLog("hunter", stores, clock)
    logged = log.log(
        [{"decision_type": "QUERY", "context": {"even": n % 2 == 0, "n": n}, "reasoning": {}} for n in range(3)]
    )
    key = log._registry.key(logged[1].decision_id)
    damage_decision(stores, key, kind)
    page = log.page(criteria).as_dict()
    assert not page["complete"]
    assert [one["id"] for one in page["missing"]] == [key.decision_id]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("shards", [1, 3])
def test_a_page_without_time_ends_at_a_position_and_its_cursor_continues(stores, clock, newest_first, shards):
    agent = new_agent()
    log = DecisionLog(agent, stores, clock, write_shards=shards, max_page_seconds=0)
    for day, kind in product((1, 32, 33, 34, 95, 96), ("QUERY", "LEARNING")):
        decisions = [
            {
                "decision_type": kind,
                "context": {"n": n},
                "reasoning": {},
                "decision_id": new_decision_id(kind, NOW - day * DAY_MS + n // 2, write_shards=shards),
            }
            for n in range(6)
        ]
        log.log(decisions)
    for _ in range(3):
        archive_due_days(agent, date(2026, 11, 19), stores)
    for criteria in (
        DecisionFilter(context={"n": 3}),
        DecisionFilter(text='"n":3'),
        DecisionFilter("QUERY", success="pending"),
        DecisionFilter(),
    ):
        expected = ids(log.stream(criteria, newest_first=newest_first))
        assert len(expected) >= 6
        seen, cursor, pages = [], None, 0
        while True:
            page = log.page(criteria, limit=100, newest_first=newest_first, cursor=cursor)
            seen += ids(page.decisions)
            assert page.listing.complete is (page.cursor is None)
            cursor, pages = page.cursor, pages + 1
            if cursor is None:
                break
        assert seen == expected
        assert pages > 1


def test_an_archived_day_is_filtered_by_columns_and_the_newer_version_counts(stores, clock):
    log = DecisionLog("hunter", stores, clock)
    ids_of = [
        log.log_one(
            {
                "decision_type": "QUERY",
                "context": {"market": {"trend": "bullish"}, "n": n, "list": [n]},
                "reasoning": {},
                "decision_id": new_decision_id("QUERY", NOW - 100 * DAY_MS + n),
            }
        ).decision_id
        for n in range(9)
    ]
    log.record_outcomes(
        [{"decision_id": one, "outcome": {}, "success": n % 2 == 0} for n, one in enumerate(ids_of[:6])]
    )
    for _ in range(2):
        archive_due_days("hunter", date(2026, 11, 19), stores)
    log.record_outcome({"decision_id": ids_of[7], "outcome": {}, "success": True})  # later than the archive's version
    for criteria, expected in (
        (DecisionFilter(context={"n": 4}), [4]),
        (DecisionFilter(context={"n": 4.0, "trend": "bullish"}), [4]),
        (DecisionFilter(context={"list": [3]}), [3]),
        (DecisionFilter(success="pending"), [6, 8]),
        (DecisionFilter(success=True), [0, 2, 4, 7]),
        (DecisionFilter(success=True, context={"n": 7}), [7]),
        (DecisionFilter(success="pending", context={"n": 7}), []),
        (DecisionFilter("QUERY", success=False, context={"trend": "bullish"}), [1, 3, 5]),
    ):
        assert ids(log.stream(criteria, newest_first=False)) == [ids_of[n] for n in expected], criteria


@pytest.mark.parametrize("filters", [{}, {"success": "pending"}, {"context": {"trend": "bullish"}}])
def test_shards_that_another_process_has_begun_to_use_are_read(stores, clock, filters):
    criteria = DecisionFilter(**filters)
    reader, writer = DecisionLog("hunter", stores, clock), DecisionLog("hunter", stores, clock, write_shards=8)
    data = {"decision_type": "QUERY", "context": {"market": {"trend": "bullish"}}, "reasoning": {}}
    reader.log([data])
    assert len(list(reader.stream(criteria))) == 1
    writer.log([data] * 12)
    assert len(list(reader.stream(criteria))) == 13
    assert reader.statistics(criteria)["total"]["count"] == 13


def _with_time(cursor, time):
    text = base64.urlsafe_b64decode(cursor).decode()
    return base64.urlsafe_b64encode(f"{text[:9]}{time}{text[text.index('#') :]}".encode()).decode()


@pytest.mark.parametrize(
    "time",
    ["2026-11-20 12:00:00.008Z", "2026-11-20T14:00:00.008+02:00", "20261120T120000.008Z", "2026-11-20T12:00:00.0080Z"],
)
def test_a_cursor_whose_time_has_another_text_is_refused(stores, clock, time):
    stores.decisions.insert([decision(NOW + n) for n in range(10)])
    log = DecisionLog("hunter", stores, clock)
    stores.states.register("hunter", {"QUERY"}, 1, NOW)
    cursor = log.page(DecisionFilter(), limit=2).cursor
    assert _with_time(cursor, "2026-11-20T12:00:00.008Z") == cursor
    with pytest.raises(InvalidInput, match="not the cursor of a page"):
        log.page(DecisionFilter(), cursor=_with_time(cursor, time))


def test_a_cursor_of_another_agent_is_refused(stores, clock):
    logs = [DecisionLog(agent, stores, clock) for agent in ("hunter", "hunter-2")]
    for log in logs:
        log.log([{"decision_type": "QUERY", "context": {}, "reasoning": {}} for _ in range(3)])
    with pytest.raises(InvalidInput, match="belongs to another query"):
        logs[1].page(DecisionFilter(), cursor=logs[0].page(DecisionFilter(), limit=1).cursor)
    with pytest.raises(InvalidInput, match="belongs to another query"):
        logs[1].performance(cursor=logs[0].performance(limit=1)["cursor"])
