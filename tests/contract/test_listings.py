"""Every listing answers what can be read and names the rest, on every store, directly and over HTTP."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import Damaged, DecisionLogger, Listing, MemoryManager, Unavailable
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core.ids import new_decision_id, timestamp_of
from agent_memory.decisions.log import DecisionLog
from agent_memory.decisions.queries import DecisionFilter
from agent_memory.memory.agent_memory import AgentMemory
from agent_memory.model.decisions import DecisionKey
from tests.contract.damage import (
    ITEMS,
    damage_decision,
    damage_memory,
    damage_state,
    damage_version,
    keeps_items,
    put_item,
)
from tests.contract.samples import NOW, new_agent
from tests.http_events import call_routes, client_with

EXAMPLES = settings(max_examples=15, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
MINUTE = 60_000


class Direct:
    """The decision log and memory of an agent, directly on the stores."""

    def __init__(self, agent, stores, clock):
        self.logger = DecisionLogger(agent, stores=stores, clock=clock).sync
        self.memory = MemoryManager(agent, stores=stores, clock=clock).sync


class OverHttp:
    """The same over HTTP, in process."""

    def __init__(self, agent):
        self.logger = self.memory = client_with(call_routes, agent).sync


@pytest.fixture(params=["direct", "http"])
def open_agent(request, stores, clock, monkeypatch):
    """Opens an agent's log and memory, on the stores directly or over HTTP."""
    deployment = Deployment(stores, clock=clock)
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    return lambda agent: Direct(agent, stores, clock) if request.param == "direct" else OverHttp(agent)


def log_many(stores, clock, agent, times, **fields):
    """Log a decision at each of some times; the ids in order."""
    ids = [new_decision_id("QUERY", at) for at in times]
    log = DecisionLog(agent, stores, clock)
    inputs = [
        {"decision_id": one, "decision_type": "QUERY", "context": {"n": n}, "reasoning": {}, **fields}
        for n, one in enumerate(ids)
    ]
    for start in range(0, len(inputs), 100):
        assert all(result.failure() is None for result in log.log(inputs[start : start + 100]))
    return ids


def key_of(agent, decision_id):
    return DecisionKey(agent, "QUERY", timestamp_of(decision_id), decision_id)


def named(listing_or_body):
    missing = listing_or_body["missing"] if isinstance(listing_or_body, dict) else listing_or_body.missing
    return [one["id"] for one in missing]


def follow(read, name):
    """All entries and all that is missing, over all pages; no page is empty for ever."""
    ids, missing, cursor = [], [], None
    for _ in range(200):
        page = read(cursor)
        ids += [one["decision_id"] for one in page[name]]
        missing += named(page)
        assert page["complete"] == (not page["missing"] and page["cursor"] is None)
        if page["cursor"] is None:
            return ids, missing
        cursor = page["cursor"]
    raise AssertionError("the pages do not end")


@pytest.mark.slow
@EXAMPLES
@given(data=st.data())
def test_pages_return_or_name_each_decision_once(data, stores, clock, open_agent):
    agent = new_agent()
    ages = data.draw(st.lists(st.integers(0, 45 * 24 * 60), min_size=1, max_size=25), label="ages in minutes")
    ids = log_many(stores, clock, agent, [NOW - age * MINUTE for age in ages])
    kinds = data.draw(st.lists(st.sampled_from([None, None, *ITEMS]), min_size=len(ids), max_size=len(ids)))
    damaged = {one: kind for one, kind in zip(ids, kinds, strict=True) if kind}
    for one, kind in damaged.items():
        damage_decision(stores, key_of(agent, one), kind)
    limit, newest_first = data.draw(st.integers(1, 30), label="limit"), data.draw(st.booleans())
    hunter = open_agent(agent)

    if len(damaged) < len(ids):
        found = hunter.logger.query_decisions(limit=limit, newest_first=newest_first)
        assert isinstance(found, Listing)
        assert found.complete == (not damaged and limit >= len(ids))

    def page(cursor):
        return hunter.logger.page_decisions(limit=limit, newest_first=newest_first, cursor=cursor)

    returned, missing = follow(page, "decisions")
    assert sorted([*returned, *missing]) == sorted(ids)
    assert set(missing) == set(damaged)
    assert returned == sorted(returned, reverse=newest_first)

    def contexts(cursor):
        return hunter.memory.get_context_memory(limit=limit, cursor=cursor)

    returned, missing = follow(contexts, "entries")
    assert sorted([*returned, *missing]) == sorted(ids)
    assert set(missing) == set(damaged)
    assert returned == sorted(returned, reverse=True)


def test_get_decision_names_the_damaged_item(stores, clock, open_agent):
    (one,) = log_many(stores, clock, "hunter", [NOW])
    damage_decision(stores, key_of("hunter", one))
    with pytest.raises(Unavailable, match=one) as caught:
        open_agent("hunter").logger.get_decision(one)
    assert caught.value.code == "damaged"


def test_items_of_another_program_are_named_by_their_keys(stores, clock, open_agent):
    if not keeps_items(stores):
        pytest.skip("only a table has items of other programs")
    ids = log_many(stores, clock, "hunter", [NOW - 2 * MINUTE, NOW - MINUTE, NOW])
    for sk in ("2026-11-20T11:58:30.000Z#counter", "2026-11-20T11:5", "2026-11-20T11:59:30.000Z"):
        put_item(stores.decisions, "hunter#QUERY", sk, {"count": {"N": "5"}})
    logger = open_agent("hunter").logger
    returned, missing = follow(lambda cursor: logger.page_decisions(limit=1, cursor=cursor), "decisions")
    assert returned == ids[::-1]
    assert missing == [
        "hunter#QUERY 2026-11-20T11:59:30.000Z",
        "hunter#QUERY 2026-11-20T11:58:30.000Z#counter",
        "hunter#QUERY 2026-11-20T11:5",
    ]
    assert {one["reason"] for one in logger.query_decisions().missing} == {"damaged"}


def test_a_lost_part_is_named_and_the_rest_is_answered(stores, clock, open_agent):
    if not keeps_items(stores):
        pytest.skip("only a table stores parts of a decision elsewhere")
    ids = log_many(stores, clock, "hunter", [NOW - MINUTE, NOW], reasoning={"why": "w" * 400_000})
    keys = stores.blobs.list_keys("large/agent_id=hunter/")
    lost = next(key for key in keys if ids[0] in key)
    stores.blobs.erase(lost, dry_run=False)
    hunter = open_agent("hunter")
    found = hunter.logger.query_decisions()
    assert ([one["decision_id"] for one in found], found.complete) == ([ids[1]], False)
    assert [(one["id"], one["reason"]) for one in found.missing] == [(ids[0], "damaged")]
    assert lost[-20:] in found.missing[0]["why"]
    with pytest.raises(Unavailable, match=r"large part .* is missing"):
        hunter.logger.get_decision(ids[0])
    assert named(hunter.memory.get_context_memory()) == [ids[0]]
    assert named(hunter.memory.recall("")) == [ids[0]]
    assert named(hunter.logger.get_decision_chain(ids[1])) == [ids[0]]
    assert named(hunter.logger.analyze_decision_patterns()) == [ids[0]]


def test_a_part_that_cannot_be_read_now_is_unavailable_and_never_an_empty_answer(
    stores, clock, open_agent, monkeypatch
):
    if not keeps_items(stores):
        pytest.skip("only a table stores parts of a decision elsewhere")
    ids = log_many(stores, clock, "hunter", [NOW - MINUTE], reasoning={"why": "w" * 400_000})

    def down(key):
        raise Unavailable("S3 refused the request: SlowDown")

    monkeypatch.setattr(stores.decisions._large_parts._blobs, "read", down)
    monkeypatch.setattr("agent_memory.client.requests._ATTEMPTS", 1)
    hunter = open_agent("hunter")
    for read in (hunter.logger.query_decisions, hunter.memory.get_context_memory, hunter.memory.recall):
        with pytest.raises(Unavailable, match="SlowDown"):
            read()
    small = log_many(stores, clock, "hunter", [NOW])
    found = hunter.logger.query_decisions()
    assert [one["decision_id"] for one in found] == small
    assert [(one["id"], one["reason"]) for one in found.missing] == [(ids[0], "unavailable")]


def test_chains_name_damaged_relatives_and_neighbours(stores, clock, open_agent):
    root, *others = log_many(stores, clock, "hunter", [NOW - 60 * MINUTE, NOW - 50 * MINUTE, NOW - 40 * MINUTE])
    log = DecisionLog("hunter", stores, clock)

    def child(parent, at):
        one = new_decision_id("QUERY", at)
        fields = {"decision_id": one, "decision_type": "QUERY", "context": {}, "reasoning": {}, "parent_ids": [parent]}
        assert log.log_one(fields)
        return one

    middle = child(root, NOW - 30 * MINUTE)
    last = child(middle, NOW - 20 * MINUTE)
    for one in (root, last, others[1]):
        damage_decision(stores, key_of("hunter", one))
    logger = open_agent("hunter").logger
    chain = logger.get_decision_chain(middle)
    assert [(one["decision_id"], one["relation"]) for one in chain] == [(others[0], "before")]
    assert (sorted(named(chain)), chain.complete) == (sorted([root, last, others[1]]), False)
    chain = logger.get_decision_chain(root)
    assert (chain[0]["decision_id"], chain[0]["relation"]) == (middle, "descendant")
    assert set(named(chain)) == {root, last, others[1]}


@pytest.mark.slow
def test_a_chain_says_that_more_decisions_followed(stores, clock, open_agent):
    root = new_decision_id("QUERY", NOW - 60 * MINUTE)
    log = DecisionLog("hunter", stores, clock)
    log.log_one({"decision_id": root, "decision_type": "QUERY", "context": {}, "reasoning": {}})
    children = log_many(stores, clock, "hunter", [NOW - n for n in range(30)], parent_ids=[root])
    logger = open_agent("hunter").logger
    chain = logger.get_decision_chain(root, limit=20)
    assert len([one for one in chain if one["relation"] == "descendant"]) == 20
    assert not chain.complete
    assert [(one["id"], one["reason"]) for one in chain.missing] == [(root, "limit")]
    chain = logger.get_decision_chain(root, limit=30)
    assert {one["decision_id"] for one in chain} == set(children)
    assert (chain.complete, chain.missing) == (True, [])


def test_memories_and_versions_that_are_damaged_are_named(stores, clock, open_agent):
    hunter = open_agent("hunter")
    for name in ("a", "b", "c"):
        hunter.memory.store_ltm("PATTERN", name, {"confidence": 0.5, "text": name})
    hunter.memory.store_ltm("PATTERN", "a", {"confidence": 0.6, "text": "again"})
    damage_memory(stores, "hunter", "PATTERN", "b")
    found = hunter.memory.retrieve_ltm("PATTERN")
    assert ([one["pattern_id"] for one in found], found.complete) == (["a", "c"], False)
    assert [(one["id"], one["reason"]) for one in found.missing] == [("b", "damaged")]
    by_id = hunter.memory.retrieve_ltm("PATTERN", {"pattern_id": "b"})
    assert (by_id, named(by_id), by_id.complete) == ([], ["b"], False)
    recalled = hunter.memory.recall("again")
    assert ({one["memory"]["pattern_id"] for one in recalled}, named(recalled)) == ({"a", "c"}, ["b"])
    damage_version(stores, "hunter", "PATTERN", "a", 1)
    history = hunter.memory.get_ltm_history("PATTERN", "a")
    assert ([one["version"] for one in history], named(history)) == ([2], ["a#0000000001"])
    as_of = hunter.memory.retrieve_ltm("PATTERN", as_of="2026-11-20T12:00:00Z")
    # the history of a table has no copy of a current version
    assert named(as_of) == (["a#0000000001", "b"] if keeps_items(stores) else ["a#0000000001"])
    of_a = hunter.memory.retrieve_ltm("PATTERN", {"pattern_id": "a"}, as_of="2026-11-20T12:00:00Z")
    assert named(of_a) == ["a#0000000001"]


def test_checkpoints_and_configurations_that_are_damaged_are_named(stores, clock, open_agent):
    memory = open_agent("hunter").memory
    for n in range(3):
        memory.save_state({"configuration": {"n": n}})
        memory.create_checkpoint(f"c{n}")
    damage_state(stores, "hunter", "CHECKPOINT#c1")
    damage_state(stores, "hunter", "CONFIGURATION#0000000002")
    checkpoints, configurations = memory.list_checkpoints(), memory.list_configurations()
    assert ([one["name"] for one in checkpoints], named(checkpoints)) == (["c0", "c2"], ["c1"])
    assert [one["configuration"] for one in configurations] == [{"n": 0}, {"n": 2}]
    assert (named(configurations), configurations.complete) == (["0000000002"], False)


@pytest.mark.slow
def test_recall_applies_the_symbol_before_it_cuts(stores, clock, open_agent):
    agent = new_agent()
    log_many(stores, clock, agent, [NOW - 90 * MINUTE + n for n in range(51)], context={"symbol": "RARE"})
    log_many(stores, clock, agent, [NOW - 60 * MINUTE + n for n in range(1_149)], context={"symbol": "SPY"})
    memory = open_agent(agent).memory
    found = memory.recall(symbol="RARE", top_k=100)
    assert (len(found), found.complete, found.missing) == (51, True, [])
    everything = memory.recall(top_k=1)
    assert (len(everything), everything.complete) == (1, False)
    assert [(one["id"], one["reason"]) for one in everything.missing] == [("decisions", "limit")]
    assert "newest 1,000" in everything.missing[0]["why"]


def test_large_decisions_do_not_take_the_answer_of_the_others(stores, clock, open_agent):
    large = log_many(stores, clock, "hunter", [NOW - n * MINUTE for n in (3, 2, 1)], reasoning={"why": "w" * 2_200_000})
    (small,) = log_many(stores, clock, "hunter", [NOW])
    hunter = open_agent("hunter")
    is_direct = isinstance(hunter, Direct)
    contexts = hunter.memory.get_context_memory()
    chain, recalled = hunter.logger.get_decision_chain(small), hunter.memory.recall(top_k=10)
    for ids, missing in (
        ([one["decision_id"] for one in contexts["entries"]], contexts["missing"]),
        ([small, *(one["decision_id"] for one in chain)], chain.missing),
        ([one["decision"]["decision_id"] for one in recalled], recalled.missing),
    ):
        assert sorted([*ids, *(one["id"] for one in missing)]) == sorted([*large, small])
        assert len(missing) == (0 if is_direct else 1)
        assert {one["reason"] for one in missing} <= {"too_large"}
    returned, missing = follow(lambda cursor: hunter.logger.page_decisions(cursor=cursor), "decisions")
    assert (sorted(returned), missing) == (sorted([*large, small]), [])
    assert [one["decision_id"] for one in hunter.logger.query_decisions()] == [small, *large[::-1]]


def test_the_size_of_an_answer_within_the_process_is_limited_too(stores, clock):
    ids = log_many(stores, clock, "hunter", [NOW - n for n in range(4)], reasoning={"why": "w" * 1_000})
    memory = AgentMemory("hunter", stores, clock, max_answer_bytes=3_200)
    contexts = memory.hierarchy.contexts(None, None, limit=10, level=None)
    assert [one["decision_id"] for one in contexts["entries"]] == ids[:2]
    assert [(one["id"], one["reason"]) for one in contexts["missing"]] == [(one, "too_large") for one in ids[2:]]
    log = DecisionLog("hunter", stores, clock, max_answer_bytes=1_000)
    page = log.page(DecisionFilter())
    assert (page.decisions, [one["id"] for one in page.listing.missing], page.cursor) == ([], ids, None)


def test_a_decision_can_follow_from_a_damaged_one(stores, clock):
    (parent,) = log_many(stores, clock, "hunter", [NOW - MINUTE])
    damage_decision(stores, key_of("hunter", parent))
    (child,) = log_many(stores, clock, "hunter", [NOW], parent_ids=[parent])
    chain = DecisionLog("hunter", stores, clock).chain(child)
    assert (list(chain), named(chain)) == ([], [parent])
    with pytest.raises(Damaged):
        DecisionLog("hunter", stores, clock).get(parent)
