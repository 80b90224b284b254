"""What Python programs pass comes back as one rule converts it, or is refused by its place: the same on every store."""

import math
import sys
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from agent_memory import BufferedDecisionLogger, DecisionLogger, InvalidInput, MemoryManager
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core.clock import FixedClock, SystemClock, date_of, to_iso
from agent_memory.core.ids import new_decision_id
from agent_memory.core.json_values import canonical_json, plain_json, pointer
from agent_memory.storage.factory import in_memory_stores
from tests.contract.samples import new_agent, write_day
from tests.http_events import call_routes, client_with
from tests.python_values import CONVERTED, HUGE, REFUSED, Level, Regime, Sample, Side, samples, stored_samples

on_every_store = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def log_twice(log, value, now_ms):
    """The context of a decision that is logged twice."""
    decision_id = new_decision_id("QUERY", now_ms)
    decision = {
        "decision_type": "QUERY",
        "context": {"x": value},
        "reasoning": {"y": value},
        "decision_id": decision_id,
    }
    log.log_decision(**decision)
    (again,) = log.log_decisions([decision])
    assert again["status"] == "unchanged", again
    found = log.get_decision(decision_id)
    assert canonical_json(found["context"]["x"]) == canonical_json(found["reasoning"]["y"])
    return found["context"]["x"]


def log_outcome_twice(log, value, now_ms):
    """The details of an outcome that is logged twice."""
    decision_id = new_decision_id("QUERY", now_ms)
    log.log_decision("QUERY", {}, {}, decision_id=decision_id)
    outcome = {"decision_id": decision_id, "outcome": {"x": value}, "success": True, "metrics": {"y": value}}
    log.log_outcome(**outcome)
    (again,) = log.log_outcomes([outcome])
    assert again["status"] == "unchanged", again
    return log.get_decision(decision_id)["outcome"]["x"]


def store_memory_twice(memory, value):
    """A field of a memory that is stored twice."""
    stored = [memory.store_ltm("PATTERN", "p", {"x": value}) for _ in range(2)]
    assert [one["version"] for one in stored] == [1, 1]
    (found,) = memory.retrieve_ltm("PATTERN", {"x": value})
    return found["x"]


def store_value(memory, value):
    """A value of short-term memory."""
    memory.store_stm("k", {"x": value})
    return memory.retrieve_stm("k")["x"]


def save_state(memory, value):
    """A field of the state, as it is returned, cached and stored."""
    texts = {canonical_json(memory.save_state({"x": value})["data"]["x"])}
    texts |= {canonical_json(memory.load_state(fresh=fresh)["data"]["x"]) for fresh in (False, True)}
    assert len(texts) == 1
    return memory.load_state(fresh=True)["data"]["x"]


def write_cycle(memory, value):
    """A signal, which can be removed as it was written."""
    memory.write_cycle(signals=[{"x": value}])
    (signal,) = memory.read_cycle()["signals"]
    assert memory.remove_signal({"x": value})
    return signal["x"]


def check_sample(memory, log, sample, now_ms):
    """Pass a sample everywhere and compare what comes back, or the place that an error names."""
    for prefix, call in (
        ("/context/x", lambda: log_twice(log, sample.value, now_ms)),
        ("/outcome/x", lambda: log_outcome_twice(log, sample.value, now_ms)),
        ("/x", lambda: store_memory_twice(memory, sample.value)),
        ("data/x", lambda: store_value(memory, sample.value)),
        ("/x", lambda: save_state(memory, sample.value)),
        ("/signals/0/x", lambda: write_cycle(memory, sample.value)),
    ):
        if sample.refused_at is None:
            assert canonical_json(call()) == canonical_json(sample.stored), prefix
        else:
            with pytest.raises(InvalidInput) as caught:
                call()
            assert caught.value.field == prefix + "".join(pointer(("", token)) for token in sample.refused_at)


@on_every_store
@given(sample=samples)
def test_a_value_is_stored_as_the_rule_says_or_refused_by_its_place(stores, clock, sample):
    agent = new_agent()
    memory = MemoryManager(agent, stores=stores, clock=clock).sync
    check_sample(memory, DecisionLogger(agent, stores=stores, clock=clock).sync, sample, clock.now_ms())


@pytest.mark.slow
@on_every_store
@given(sample=samples)
def test_a_value_is_the_same_over_http(monkeypatch, sample):
    clock = FixedClock(SystemClock().now_ms())
    deployment = Deployment(in_memory_stores(clock))
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    client = client_with(call_routes, new_agent()).sync
    check_sample(client, client, sample, clock.now_ms())


@pytest.mark.parametrize("value", [value for value, _ in CONVERTED], ids=lambda value: f"{type(value).__name__}")
def test_each_class_that_is_converted(value):
    (expected,) = [stored for one, stored in CONVERTED if one is value]
    assert canonical_json(plain_json(value)) == canonical_json(expected)


@pytest.mark.parametrize("value", [*REFUSED, HUGE], ids=lambda value: f"{type(value).__name__}")
def test_each_value_that_is_refused(value):
    with pytest.raises(InvalidInput) as caught:
        plain_json({"a": [value]}, "/context")
    assert caught.value.field == "/context/a/0"


@on_every_store
@given(sample=stored_samples)
def test_a_value_is_read_back_from_the_archive(clock, sample):
    stores = in_memory_stores(clock)
    log = DecisionLogger("hunter", stores=stores, clock=clock)
    decision_id = log.sync.log_decision("QUERY", {"x": sample.value}, {}, timestamp=clock.now_ms() / 1000 - 3_600)
    decision = log.log.get(decision_id)
    day = date_of(decision.timestamp_ms)
    write_day(stores.archive, day, [decision])
    (archived,) = stores.archive.read_day("hunter", day)
    assert archived.content() == decision.content()
    assert canonical_json(archived.context["x"]) == canonical_json(sample.stored)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({Side.BUY: 1.0}, {"buy": 1.0}),
        ({"level": Level.HIGH}, {"level": 3}),
        ({"regime": Regime.FLAT}, {"regime": 0}),
        ({Side.BUY: 1.0, "level": Level.HIGH, "regime": Regime.FLAT}, {"buy": 1.0, "level": 3, "regime": 0}),
    ],
    ids=["a str Enum as a key", "an int Enum", "another Enum", "all of them"],
)
def test_an_enum_as_a_key_twice_is_unchanged_and_as_a_value_its_number(stores, clock, value, stored):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    log = DecisionLogger("hunter", stores=stores, clock=clock).sync
    check_sample(memory, log, Sample(value, stored), clock.now_ms())
    assert len(log.query_decisions()) == 2


def test_two_keys_that_become_one_are_refused(stores, clock):
    log = DecisionLogger("hunter", stores=stores, clock=clock).sync
    with pytest.raises(InvalidInput, match="/context/trend: several keys"):
        log.log_decision("QUERY", {"trend": 1, Regime.TREND: 2}, {})


class Broken(dict):
    def __iter__(self):
        raise RuntimeError("lost")


class Loop(list):
    def __iter__(self):
        return iter([self])


@pytest.mark.parametrize("value", [Broken(a=1), Loop([1])])
def test_values_whose_own_code_fails_are_refused(value):
    with pytest.raises(InvalidInput, match="/context/a"):
        plain_json({"a": value}, "/context")


@pytest.mark.parametrize("data", [None, 5, "text", [1], object(), b"x"])
def test_what_is_not_an_object_is_refused_by_its_argument(stores, clock, data):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    for argument, call in (
        ("data", lambda: memory.store_ltm("PATTERN", "p", data)),
        ("state", lambda: memory.save_state(data)),
        ("filters", lambda: data is not None and memory.retrieve_ltm("PATTERN", data)),
        ("context_filter", lambda: data is not None and memory.get_context_memory(context_filter=data)),
        ("performance", lambda: data is not None and memory.read_cycle(performance=data)),
    ):
        if data is None and argument not in {"data", "state"}:
            continue
        with pytest.raises(InvalidInput) as caught:
            call()
        assert caught.value.field in {argument, ""}, argument


def test_numpy_values_are_taken_as_arguments(stores, clock):
    log = DecisionLogger("hunter", stores=stores, clock=clock).sync
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    parents = [log.log_decision("QUERY", {"n": n}, {}) for n in range(2)]
    child = log.log_decision(
        np.str_("QUERY"), {}, {}, parent_ids=np.array(parents), memory_ids=np.array(["p"]), metadata=None
    )
    log.log_outcome(np.str_(child), {}, np.True_, amend=np.False_)
    found = log.get_decision(np.str_(child))
    assert (found["parent_ids"], found["memory_ids"], found["success"]) == (parents, ["p"], True)
    assert len(log.query_decisions(limit=np.int64(2), success_filter=np.False_)) == 0
    assert memory.store_stm("k", 1, ttl_seconds=np.int32(60))
    assert memory.store_ltm("PATTERN", np.str_("p"), {"confidence": np.float64(0.5)})["confidence"] == 0.5
    memory.save_state({"n": 1}, expected_version=np.int64(0))
    now = clock.now_ms() / 1000
    assert len(log.query_decisions(time_range=np.array([now - 60, now + 60]))) == 3


@pytest.mark.parametrize(
    "value", [HUGE, -HUGE, 10**2_000_000, "\ud800", object(), math.nan], ids=lambda one: type(one).__name__
)
def test_arguments_of_any_class_raise_an_error_that_names_them(stores, clock, value):
    log = DecisionLogger("hunter", stores=stores, clock=clock).sync
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    for argument, call in (
        ("decision_id", lambda: log.get_decision(value)),
        ("/decision_type", lambda: log.log_decision(value, {}, {})),
        ("/success", lambda: log.log_outcome(new_decision_id("QUERY", 1), {}, value)),
        ("/timestamp", lambda: log.log_decision("QUERY", {}, {}, timestamp=value)),
        ("/parent_ids/0", lambda: log.log_decision("QUERY", {}, {}, parent_ids=[value])),
        ("limit", lambda: log.query_decisions(limit=value)),
        ("success_filter", lambda: log.query_decisions(success_filter=value)),
        ("time_range/start", lambda: log.query_decisions(time_range=(value, None))),
        ("group_by", lambda: log.analyze_decision_patterns(group_by=value)),
        ("key", lambda: memory.retrieve_stm(value)),
        ("ttl_seconds", lambda: memory.store_stm("k", 1, ttl_seconds=value)),
        ("source_id", lambda: memory.check_rate_limit(value, 1)),
        ("memory_type", lambda: memory.retrieve_ltm(value)),
        ("pattern_id", lambda: memory.store_ltm("PATTERN", value, {})),
        ("confidence", lambda: memory.store_ltm("PATTERN", "p", {"confidence": value})),
        ("new_confidence", lambda: memory.update_ltm_confidence("p", value)),
        ("min_confidence", lambda: memory.get_pattern_memory(min_confidence=value)),
        ("reason", lambda: memory.store_ltm("PATTERN", "p", {}, reason=value)),
        ("as_of", lambda: memory.retrieve_ltm("PATTERN", as_of=value)),
        ("kind", lambda: memory.recall("q", kind=value)),
        ("top_k", lambda: memory.recall("q", top_k=value)),
        ("half_lives", lambda: memory.recall("q", half_lives={"A": value})),
        ("level", lambda: memory.get_context_memory(level=value)),
        ("name", lambda: memory.create_checkpoint(value)),
    ):
        with pytest.raises(InvalidInput) as caught:
            call()
        assert argument in caught.value.field, argument


def test_a_named_tuple_and_its_tuple_are_the_same_signal():
    nan = math.nan
    with pytest.raises(InvalidInput, match="signal/0"):
        MemoryManager("hunter", stores=in_memory_stores()).sync.remove_signal((nan,))


def test_a_duration_is_refused_with_advice():
    with pytest.raises(InvalidInput, match="timedelta is not a JSON type; pass its total_seconds"):
        plain_json({"a": timedelta(1)})


def check_times(memory, log, now):
    """Seconds since 1970, as `time.time()` returns them, wherever a time is taken."""
    decision_id = log.log_decision("QUERY", {"n": 1}, {}, timestamp=now - 60)
    log.log_decisions([{"decision_type": "QUERY", "context": {}, "reasoning": {}, "timestamp": int(now) - 120}])
    log.log_outcome(decision_id, {}, True, timestamp=now - 30)
    assert log.get_decision(decision_id)["timestamp"] == to_iso(round((now - 60) * 1000))
    assert log.get_decision(decision_id)["outcome_recorded_at"] == to_iso(round((now - 30) * 1000))
    assert len(log.query_decisions(time_range=(now - 3_600, now))) == 2
    assert len(log.query_decisions(time_range=(now - 90, None))) == 1
    assert log.analyze_decision_patterns(time_range=(now - 90, now))["total"]["count"] == 1
    assert len(memory.get_context_memory((now - 90, now))["entries"]) == 1
    memory.store_ltm("PATTERN", "p", {})
    assert len(memory.retrieve_ltm("PATTERN", as_of=now + 1)) == 1
    assert memory.retrieve_ltm("PATTERN", as_of=now - 1) == []
    memory.write_cycle(signals=["s"])
    assert memory.read_cycle(signals_since=now - 1)["signals"] == ["s"]
    assert memory.read_cycle(signals_since=now + 1)["signals"] == []
    for call in (
        lambda: log.log_decision("QUERY", {}, {}, timestamp=now * 1000),
        lambda: log.query_decisions(time_range=(now * 1e9, None)),
        lambda: memory.retrieve_ltm("PATTERN", as_of=now * 1e6),
        lambda: memory.get_context_memory((None, now * 1000)),
        lambda: memory.read_cycle(signals_since=now * 1000),
    ):
        with pytest.raises(InvalidInput, match="pass seconds"):
            call()


def test_times_are_seconds_since_1970_too(stores, clock):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    check_times(memory, DecisionLogger("hunter", stores=stores, clock=clock).sync, clock.now_ms() / 1000)


def test_times_are_seconds_since_1970_over_http_too(monkeypatch):
    clock = FixedClock(SystemClock().now_ms())
    deployment = Deployment(in_memory_stores(clock), clock=clock)
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    client = client_with(call_routes).sync
    check_times(client, client, clock.now_ms() / 1000)


OWN = ["agent_id", "memory_type", "pattern_id", "learned_at", "updated_at", "version", "changed_by", "reason"]


@pytest.mark.parametrize("name", [*OWN, "changed_as", "access_count", "last_accessed"])
def test_a_field_that_every_memory_has_is_not_dropped_in_silence(stores, clock, name):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    with pytest.raises(InvalidInput, match=f"^/{name}: "):
        memory.store_ltm("PATTERN", "p", {name: "mine"})


def check_learned_at(memory, at_ms):
    at = datetime.fromtimestamp(at_ms / 1000, UTC) - timedelta(hours=1)
    for name, form in (("moment", at), ("seconds", at.timestamp()), ("text", at.isoformat())):
        memory.store_ltm("PATTERN", name, {"n": 1, "learned_at": form})
        assert memory.store_ltm("PATTERN", name, {"n": 1, "learned_at": at_ms / 1000})["version"] == 1
        memory.store_ltm("PATTERN", name, {"n": 2})
    found = memory.retrieve_ltm("PATTERN")
    assert {datetime.fromisoformat(one["learned_at"]) for one in found} == {at}
    assert {(one["n"], one["version"]) for one in found} == {(2, 2)}
    with pytest.raises(InvalidInput, match=r"^/learned_at: "):
        memory.store_ltm("PATTERN", "text", {"n": 2, "learned_at": "yesterday"})


def test_the_time_at_which_a_memory_was_learned_may_be_stated(stores, clock):
    check_learned_at(MemoryManager("hunter", stores=stores, clock=clock).sync, clock.now_ms())


def test_the_time_at_which_a_memory_was_learned_may_be_stated_over_http(monkeypatch):
    clock = FixedClock(SystemClock().now_ms())
    deployment = Deployment(in_memory_stores(clock), clock=clock)
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    check_learned_at(client_with(call_routes).sync, clock.now_ms())


def test_a_memory_is_stored_again_as_it_was_read(stores, clock):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    identity = {"agent_id": "hunter", "memory_type": "PATTERN", "pattern_id": "p"}
    memory.store_ltm("PATTERN", "p", {"n": 1, "confidence": 0.5, **identity}, reason="first")
    (read,) = memory.retrieve_ltm("PATTERN")
    assert memory.store_ltm("PATTERN", "p", read)["version"] == 1
    assert memory.store_ltm("PATTERN", "copy", {**read, "n": 2})["n"] == 2


@on_every_store
@given(sample=samples)
def test_a_value_is_the_same_through_a_buffer(tmp_path_factory, clock, sample):
    stores = in_memory_stores(clock)
    log = DecisionLogger("hunter", stores=stores, clock=clock)
    folder = tmp_path_factory.mktemp("buffer")
    with BufferedDecisionLogger(log, folder, clock=clock).sync as buffered:
        if sample.refused_at is not None:
            with pytest.raises(InvalidInput):
                buffered.log_decision("QUERY", {"x": sample.value}, {})
            return
        decision_id = buffered.log_decision("QUERY", {"x": sample.value}, {}, timestamp=clock.now_ms() / 1000)
        buffered.log_outcome(decision_id, {"x": sample.value}, np.True_)
        buffered.flush()
    found = log.sync.get_decision(decision_id)
    assert canonical_json([found["context"], found["outcome"]]) == canonical_json([{"x": sample.stored}] * 2)


def test_an_object_that_another_thread_changes_is_stored_or_refused(stores, clock):
    changing = {str(number): number for number in range(200)}
    end = threading.Event()

    def change():
        number = 0
        while not end.is_set():
            name = str(number % 200)
            del changing[name]  # and added at the end: keys and members change their places
            changing[name] = int(name)
            changing[f"more{number}"] = f"more{number}"
            del changing[f"more{number}"]
            number += 1

    agent = new_agent()
    log = DecisionLogger(agent, stores=stores, clock=clock).sync
    memory = MemoryManager(agent, stores=stores, clock=clock).sync
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(8):
            for call in (lambda: memory.store_stm("a", changing), lambda: log.log_decision("QUERY", changing, {})):
                try:
                    call()
                except InvalidInput as error:
                    assert "pass a copy" in str(error)
    finally:
        end.set()
        thread.join()
        sys.setswitchinterval(interval)
    for decision in log.query_decisions(limit=100):
        assert all(str(value) == name for name, value in decision["context"].items())
