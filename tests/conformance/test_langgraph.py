"""The LangGraph store and tools on LangGraph itself: what its in-memory store does, and what others got wrong."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("langgraph", reason="`make conformance` installs the langgraph extra")

from langgraph.store.base import GetOp, InvalidNamespaceError, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, TooLarge
from agent_memory.client.integrations.langgraph import AgentMemoryStore, decision_tools
from tests.conformance.examples import run_example

IN_MEMORY, EMBEDDED = "InMemoryStore", "AgentMemoryStore"


class Now:
    """A clock that tests advance."""

    def __init__(self):
        self.time = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self):
        return self.time

    def advance(self, minutes):
        self.time += timedelta(minutes=minutes)


def embed(texts):
    """Vectors that say which of three words a text has."""
    return [[float(word in text) for word in ("gap", "trend", "news")] for text in texts]


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def memory(url):
    return MemoryManager("hunter", stores=url)


@pytest.fixture
def ours(memory, now):
    return AgentMemoryStore(memory, now=now)


@pytest.fixture(params=[IN_MEMORY, EMBEDDED])
def store(request):
    """A store that has to behave as LangGraph's own does."""
    return InMemoryStore() if request.param == IN_MEMORY else request.getfixturevalue("ours")


@pytest.fixture(params=[pytest.param(IN_MEMORY, marks=pytest.mark.xfail(strict=True)), EMBEDDED])
def mended(request):
    """A store without a defect that LangGraph's own has."""
    return InMemoryStore() if request.param == IN_MEMORY else request.getfixturevalue("ours")


def keys(found):
    return sorted(one.key for one in found)


# --- what LangGraph's own store does ------------------------------------------------------------------


def test_an_item_is_put_read_replaced_and_deleted(store):
    assert store.get(("a",), "k") is None
    store.put(("a",), "k", {"n": 1, "x": [1.5, None, {"y": True}]})
    first = store.get(("a",), "k")
    assert (first.namespace, first.key, first.value) == (("a",), "k", {"n": 1, "x": [1.5, None, {"y": True}]})
    store.put(("a",), "k", {"n": 2})
    second = store.get(("a",), "k")
    assert (second.value, second.created_at <= second.updated_at) == ({"n": 2}, True)
    store.put(("a",), "k", None)
    store.delete(("a",), "never")
    assert store.get(("a",), "k") is None
    assert store.search(("a",)) == []


async def test_it_works_from_async_code_and_other_loops(store):
    await store.aput(("a",), "k", {"n": 1})
    assert (await store.aget(("a",), "k")).value == {"n": 1}
    assert keys(await store.asearch(("a",))) == ["k"]
    assert await store.alist_namespaces() == [("a",)]
    in_thread = await asyncio.to_thread(lambda: asyncio.run(store.aget(("a",), "k")))
    assert in_thread.value == {"n": 1}
    await store.adelete(("a",), "k")
    assert await store.aget(("a",), "k") is None


def test_a_batch_reads_before_it_writes_and_the_last_write_counts(store):
    put = PutOp(("a",), "k", {"n": 1})
    results = store.batch([put, GetOp(("a",), "k"), PutOp(("a",), "k", {"n": 2}), SearchOp(("a",))])
    assert results == [None, None, None, []]
    assert store.get(("a",), "k").value == {"n": 2}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"n": 2}, ["b"]),
        ({"n": {"$eq": 2.0}}, ["b"]),
        ({"n": {"$ne": 2}}, ["a", "c"]),
        ({"n": {"$gt": 1.5}}, ["b", "c"]),
        ({"n": {"$gte": 2, "$lt": 3.5}}, ["b", "c"]),
        ({"n": {"$lte": 2}, "kind": "x"}, ["a"]),
        ({"in": {"deep": 1}}, ["a"]),
    ],
)
def test_filters_are_those_of_the_base_class(store, condition, found):
    store.put(("s",), "a", {"n": 1, "kind": "x", "in": {"deep": 1}})
    store.put(("s",), "b", {"n": 2, "kind": "y", "in": {"deep": 2}})
    store.put(("s",), "c", {"n": 3, "kind": "x", "in": {"deep": 2}})
    assert keys(store.search(("s",), filter=condition)) == found


def test_a_filter_comes_before_limit_and_offset(store):
    for n in range(30):
        store.put(("s",), f"k{n:02}", {"even": n % 2 == 0})
    pages = [keys(store.search(("s",), filter={"even": True}, limit=10, offset=offset)) for offset in (0, 10, 20)]
    assert [len(page) for page in pages] == [10, 5, 0]
    assert sorted(pages[0] + pages[1]) == [f"k{n:02}" for n in range(0, 30, 2)]


def test_a_prefix_ends_at_the_boundary_of_a_label(store):
    """CVE-2026-71433: `user1` must not read what belongs to `user10`."""
    for label in ("user1", "user10", "user1_x", "user"):
        store.put((label, "notes"), "k", {"of": label})
    assert [one.value["of"] for one in store.search(("user1",))] == ["user1"]
    assert store.list_namespaces(prefix=("user1",)) == [("user1", "notes")]


@pytest.mark.parametrize("separator", ["/", ":", "|", "#", "\x1f", "%", "_", "~", " ", "\\", '"', "é"])
def test_separators_inside_labels_and_keys_are_part_of_them(store, separator):
    store.put((f"a{separator}b",), "c", {"n": 1})
    store.put(("a", "b"), "c", {"n": 2})
    store.put(("a",), f"b{separator}c", {"n": 3})
    assert store.get((f"a{separator}b",), "c").value == {"n": 1}
    assert store.get(("a", "b"), "c").value == {"n": 2}
    assert len(store.list_namespaces()) == 3


def test_a_search_reads_the_namespaces_below_its_prefix(store):
    for n, namespace in enumerate([("a",), ("a", "b"), ("a", "b", "c"), ("b", "a")]):
        store.put(namespace, "k", {"n": n})
    found = [sorted(one.value["n"] for one in store.search(prefix)) for prefix in [("a",), ("a", "b"), ()]]
    assert found == [[0, 1, 2], [1, 2], [0, 1, 2, 3]]


def test_a_wildcard_stands_for_one_label_and_only_in_conditions(store):
    for namespace in (("docs", "v1", "draft"), ("docs", "v2", "final"), ("docs", "draft"), ("*", "x")):
        store.put(namespace, "k", {})
    assert store.list_namespaces(prefix=("docs", "*", "draft")) == [("docs", "v1", "draft")]
    assert store.list_namespaces(suffix=("*", "draft")) == [("docs", "draft"), ("docs", "v1", "draft")]
    assert store.list_namespaces(prefix=("docs",), max_depth=2) == [("docs", "draft"), ("docs", "v1"), ("docs", "v2")]
    assert store.list_namespaces(limit=1, offset=1) == [("docs", "draft")]
    assert [one.namespace for one in store.search(("*",))] == [("*", "x")]


def test_numbers_stay_the_numbers_they_were(store):
    value = {
        "float": 0.1 + 0.2,
        "whole": 1.0,
        "int": 10**15,
        "tiny": 1e-100,
    }
    store.put(("n",), "k", value)
    read = store.get(("n",), "k").value
    assert {name: (type(one), one) for name, one in read.items()} == {
        name: (type(one), one) for name, one in value.items()
    }


@pytest.mark.parametrize("namespace", [(), ("a.b",), ("",), ("langgraph", "x")])
def test_namespaces_that_could_be_mistaken_are_refused(store, namespace):
    with pytest.raises(InvalidNamespaceError):
        store.put(namespace, "k", {})


def test_semantic_search_ranks_by_the_nearest_vector(memory):
    index = {"dims": 3, "embed": embed, "fields": ["text", "notes[*]"]}
    for store in (InMemoryStore(index=index), AgentMemoryStore(memory, index=index)):
        store.put(("s",), "a", {"text": "gap"})
        store.put(("s",), "b", {"text": "trend and news"})
        store.put(("s",), "c", {"text": "trend", "notes": ["news", "gap"]})
        store.put(("s",), "d", {"text": "trend"}, index=False)
        found = store.search(("s",), query="gap")
        assert sorted(one.key for one in found[:2]) == ["a", "c"]
        assert [round(one.score, 6) for one in found[:2]] == [1.0, 1.0]
        assert (found[-1].key, found[-1].score) == ("d", None)
        assert keys(store.search(("s",), query="trend", filter={"text": "trend and news"})) == ["b"]


def test_without_fields_the_entire_value_is_embedded(memory):
    index = {"dims": 3, "embed": embed}
    for store in (InMemoryStore(index=index), AgentMemoryStore(memory, index=index)):
        store.put(("s",), "a", {"said": {"first": "gap"}})
        store.put(("s",), "b", {"text": "trend"})
        assert [(one.key, one.score) for one in store.search(("s",), query="gap")] == [("a", 1.0), ("b", 0.0)]
    store.put(("s",), "c", {"text": "gap", "more": "news"}, index=["$"])
    assert [one.key for one in store.search(("s",), query="gap news", limit=1)] == ["c"]


async def aembed(texts):
    return embed(texts)


async def test_an_embedder_may_be_a_coroutine(memory):
    index = {"dims": 3, "embed": aembed, "fields": ["text"]}
    for store in (InMemoryStore(index=index), AgentMemoryStore(memory, index=index)):
        await asyncio.gather(*(store.aput(("s",), word, {"text": word}) for word in ("gap", "trend", "news")))
        results = await store.abatch([PutOp(("s",), "b", {"text": "gap"}), SearchOp(("s",), query="trend", limit=1)])
        assert keys(results[1]) == ["trend"]
        assert keys(await store.asearch(("s",), query="gap", limit=2)) == ["b", "gap"]


def test_the_texts_of_a_batch_are_embedded_at_once(memory):
    calls = []

    def counted(texts):
        calls.append(sorted(texts))
        return embed(texts)

    store = AgentMemoryStore(memory, index={"dims": 3, "embed": counted, "fields": ["text"]})
    words = ("gap", "news", "gap")
    store.batch([PutOp(("s",), str(number), {"text": word}) for number, word in enumerate(words)])
    assert calls == [["gap", "news"]]
    assert len(store.search(("s",), query="gap")) == 3


def test_vectors_of_another_model_are_an_error(memory):
    AgentMemoryStore(memory, index={"dims": 3, "embed": embed}).put(("s",), "a", {"text": "gap"})
    other = AgentMemoryStore(memory, index={"dims": 2, "embed": lambda texts: [[1.0, 0.0] for _ in texts]})
    with pytest.raises(InvalidInput, match="index/embed: an item has a vector of 3 numbers, the query one of 2"):
        other.search(("s",), query="gap")


@pytest.mark.parametrize("minutes", [float("nan"), 1e15, "5"])
def test_a_ttl_that_is_no_duration_is_refused(ours, minutes):
    with pytest.raises(InvalidInput, match="ttl: "):
        ours.put(("a",), "k", {}, ttl=minutes)
    assert ours.get(("a",), "k") is None


# --- defects that LangGraph's own store has ------------------------------------------------------------


def test_a_read_creates_no_namespace(mended):
    """langgraph 8734."""
    mended.get(("never", "stored"), "k")
    mended.search(("other",))
    assert mended.list_namespaces() == []


def test_a_namespace_is_gone_with_its_last_item(mended):
    mended.put(("a",), "k", {})
    mended.delete(("a",), "k")
    assert mended.list_namespaces() == []


@pytest.mark.parametrize("value", [{}, {"n": None}, {"n": "text"}, {"n": [1]}, {"n": True}])
def test_a_field_without_an_order_does_not_meet_a_comparison(ours, value):
    ours.put(("a",), "k", value)
    ours.put(("a",), "n", {"n": 5})
    assert keys(ours.search(("a",), filter={"n": {"$gt": 0}})) == ["n"]


def test_a_search_outlives_an_item_without_the_field(mended):
    mended.put(("a",), "k", {})
    assert mended.search(("a",), filter={"n": {"$gt": 0}}) == []


def test_true_is_not_one(mended):
    mended.put(("a",), "k", {"n": True})
    assert mended.search(("a",), filter={"n": 1}) == []


def test_changing_what_was_read_changes_nothing_stored(mended):
    mended.put(("a",), "k", {"list": [1]})
    mended.get(("a",), "k").value["list"].append(2)
    assert mended.get(("a",), "k").value == {"list": [1]}


def test_an_item_expires_at_the_read(mended, now):
    mended.put(("a",), "k", {"n": 1}, ttl=5)
    mended.put(("a",), "forever", {"n": 2})
    now.advance(minutes=6)
    assert mended.get(("a",), "k") is None
    assert keys(mended.search(("a",))) == ["forever"]


def test_expiry_is_renewed_by_reads_only_if_asked_for(memory, now):
    store = AgentMemoryStore(memory, ttl={"default_ttl": 5}, now=now)
    store.put(("a",), "k", {"n": 1})
    now.advance(minutes=4)
    assert store.get(("a",), "k", refresh_ttl=True).value == {"n": 1}
    now.advance(minutes=4)
    assert keys(store.search(("a",))) == ["k"]
    now.advance(minutes=2)
    assert store.list_namespaces() == []
    store.put(("a",), "k", {"n": 2})
    assert store.get(("a",), "k").value == {"n": 2}


def test_an_item_that_is_too_large_is_refused_and_the_one_before_stays(ours):
    ours.put(("a",), "k", {"text": "small"})
    with pytest.raises(TooLarge):
        ours.put(("a",), "k", {"text": "x" * 500_000})
    assert ours.get(("a",), "k").value == {"text": "small"}


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": object()}, {1: 2}])
def test_a_value_that_is_not_json_is_refused_with_its_field(ours, value):
    with pytest.raises(InvalidInput) as caught:
        ours.put(("a",), "k", value)
    assert "value" in caught.value.field
    assert ours.search(("a",)) == []


def test_an_unknown_operator_is_an_error(ours):
    ours.put(("a",), "k", {"n": 1})
    with pytest.raises(InvalidInput, match=r"\$regex"):
        ours.search(("a",), filter={"n": {"$regex": "x"}})


def test_items_survive_the_process_and_keep_their_history(url):
    AgentMemoryStore(MemoryManager("hunter", stores=url)).put(("a",), "k", {"n": 1})
    again = AgentMemoryStore(MemoryManager("hunter", stores=url))
    assert again.get(("a",), "k").value == {"n": 1}
    again.delete(("a",), "k")
    memory = MemoryManager("hunter", stores=url).sync
    assert AgentMemoryStore(MemoryManager("other", stores=url)).search(()) == []
    (pattern_id,) = {
        one.pattern_id for one in memory._memory.memory.stores.memories.all_versions("hunter", "LANGGRAPH_ITEM")
    }
    assert [one["removed"] for one in memory.get_ltm_history("LANGGRAPH_ITEM", pattern_id)] == [False, True]


def test_the_example_remembers_across_two_runs(url, capsys):
    run_example("langgraph_memory", url)
    run_example("langgraph_memory", url)
    assert capsys.readouterr().out.splitlines()[-1] == "runs remembered: 2, decisions logged: 2"


async def test_nodes_log_decisions_and_ask_for_advice(memory):
    log = DecisionLogger("hunter", memory_manager=memory)
    log_decision, advise = decision_tools(log, memory)
    arguments = {"decision_type": "TRADE", "context": {"market": {"trend": "up"}}, "reasoning": {"action": "buy"}}
    logged = [log_decision.invoke(arguments), await log_decision.ainvoke(arguments)]
    assert {one["decision_id"] for one in await log.query_decisions("TRADE")} == set(logged)
    advice = advise.invoke({"decision_type": "TRADE", "context": {}, "options": ["buy", "wait"]})
    assert [one["option"] for one in advice["options"]] == ["buy", "wait"]


async def test_an_argument_that_a_tool_does_not_have_is_an_error(memory):
    log = DecisionLogger("hunter", memory_manager=memory)
    log_decision, _ = decision_tools(log, memory)
    arguments = {"decision_type": "TRADE", "context": {}, "reasoning": {}, "parent_id": "misspelled"}
    with pytest.raises(ValueError, match="parent_id"):
        log_decision.invoke(arguments)
    with pytest.raises(ValueError, match="parent_id"):
        await log_decision.ainvoke(arguments)
    assert await log.query_decisions("TRADE") == []
