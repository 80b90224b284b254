"""What was exported is imported: into an empty deployment, into the same one after a loss, twice, and after changes."""

import asyncio
import json
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import DecisionLogger, InvalidInput, MemoryManager, Unavailable
from agent_memory.admin.agent_data import AgentData
from agent_memory.admin.importing.agent import AgentImport
from agent_memory.archive.verification import verify_archive
from agent_memory.core import keys
from agent_memory.core.clock import FixedClock
from agent_memory.core.ids import timestamp_of
from agent_memory.core.keys import LEARNING_PROGRESS, archive_prefix
from agent_memory.model.decisions import DecisionKey
from agent_memory.nightly.archival import archive_due_days
from agent_memory.nightly.run import run_nightly_jobs
from agent_memory.storage.factory import in_memory_stores
from agent_memory.storage.parquet.archive import ParquetArchive
from tests.contract.damage import damage_decision, damage_memory, damage_state, damage_version
from tests.faults import FailingOnce

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGENT = "hunter"
AGES = (100, 40, 31, 27, 0)
"""Ages of decisions in days: archived and expired, archived and in the table, in the table only."""


async def fill(stores, clock, agent_id=AGENT):
    """An agent with something of every kind, and the ids of its decisions, oldest first."""
    memory = MemoryManager(agent_id, stores=stores, clock=clock)
    logger = DecisionLogger(agent_id, memory_manager=memory, clock=clock, write_shards=2)
    ids = []
    for age in AGES:
        at = NOON - timedelta(days=age, hours=1)
        made = await logger.log_decision(
            "QUERY", {"market": {"trend": "up"}, "n": 1.0}, {"age": age}, timestamp=at, parent_ids=ids[-1:]
        )
        ids.append(made)
        if age:
            await logger.log_outcome(made, {"profit": age}, age % 2 == 0, horizon="1h")
    await logger.log_outcome(ids[1], {"profit": 4}, False, horizon="1h", amend=True)
    await logger.log_outcome(ids[1], {"profit": 5}, True, horizon="exit")
    run_nightly_jobs([agent_id], NOON.date() - timedelta(days=1), stores)
    large = await logger.log_decision("MY_OWN", {"text": "x" * 400_000}, {}, timestamp=NOON - timedelta(minutes=5))
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.7, "removed": "a word", "hidden_data": [1]})
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.8})
    await memory.store_ltm("PATTERN", "gone", {"confidence": 0.8})
    memory.direct.long_term.remove(memory.direct.long_term.history("PATTERN", "gone")[-1], reason="gone")
    await memory.store_ltm("PATTERN", "gone", {"confidence": 0.9})
    await memory.store_ltm("TEAMS_OWN", "rule", {"a": 1.0})
    await memory.save_state({"configuration": {"rate": 0.1}})
    await memory.save_state({"configuration": {"rate": 0.2}})
    await memory.create_checkpoint("first")
    await memory.store_stm("context:current", {"trend": "up"})
    await memory.store_stm("mine", [1, 2.0])
    return [*ids, large]


def export(stores, clock, file, agent_id=AGENT):
    AgentData(agent_id, stores, clock).export(file)
    return file


def imported(stores, clock, file, agent_id=AGENT, *, dry_run=False):
    return AgentImport(agent_id, stores, clock, ParquetArchive).run(file, dry_run=dry_run)


def content(file):
    """What an export contains, without its time, and without the cache's copy of the state."""
    with zipfile.ZipFile(file) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    description = json.loads(found.pop("export.json"))
    lines = {
        name: [json.loads(line) for line in found.pop(name).splitlines()] for name in list(found) if name.endswith("l")
    }
    short_term = lines.pop("short_term.jsonl")
    kept = sorted((one["key"], json.dumps(one["data"])) for one in short_term if one["key"] != "state:current")
    exact = {name: [json.dumps(row, sort_keys=True) for row in rows] for name, rows in lines.items()}
    return (
        found
        | exact
        | {"types": description["decision_types"], "shards": description["write_shards"], "short_term": kept}
    )


def problems(stores, clock, agent_id=AGENT):
    """What `agent-memory verify` finds."""
    found = verify_archive(
        agent_id, states=stores.states, archive=stores.archive, decisions=stores.decisions, now_ms=clock.now_ms()
    )
    return found.status, list(found.findings)


def numbers(receipt, *statuses):
    """The sums of some statuses by kind, without zeros."""
    sums = {kind: sum(found.get(one, 0) for one in statuses) for kind, found in receipt["counts"].items()}
    return {kind: number for kind, number in sums.items() if number}


class Source:
    """An agent in another deployment, in memory, with its export."""

    def __init__(self, folder):
        self.clock = FixedClock(int(NOON.timestamp() * 1000))
        self.stores = in_memory_stores(self.clock)
        self.ids = asyncio.run(fill(self.stores, self.clock))
        self.file = export(self.stores, self.clock, folder / "source.zip")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Source(tmp_path_factory.mktemp("source"))


@pytest.fixture
def exported(stores, clock, source):
    """A deployment with an agent, which was imported, the ids of its decisions, and the export."""
    imported(stores, clock, source.file)
    return source.ids, source.file


async def test_after_a_loss_everything_is_as_it_was(stores, clock, tmp_path):
    ids = await fill(stores, clock)
    file = export(stores, clock, tmp_path / "hunter.zip")
    AgentData(AGENT, stores, clock).forget(dry_run=False)
    planned = imported(stores, clock, file, dry_run=True)
    assert AgentData(AGENT, stores, clock).forget(dry_run=True)["counts"]["states"] == 0
    receipt = imported(stores, clock, file)
    assert receipt["counts"] == planned["counts"]
    assert receipt["counts"]["decisions"] == {"in_archive": 1, "created": 5}
    assert (receipt["conflicts"], receipt["not_imported"]) == ([], [])
    assert content(export(stores, clock, tmp_path / "again.zip")) == content(file)
    assert problems(stores, clock) == ("unchanged", [])
    logger = DecisionLogger(AGENT, stores=stores, clock=clock)
    assert [one["decision_id"] for one in await logger.query_decisions(limit=10)] == ids[::-1]
    chain = await logger.get_decision_chain(ids[2])
    assert {one["decision_id"] for one in chain} >= set(ids[:5]) - {ids[2]}
    assert (await logger.get_decision(ids[1]))["superseded_outcomes"][0]["outcome"] == {"profit": 40}


async def test_a_second_import_changes_nothing(stores, clock, tmp_path, exported):
    _, file = exported
    for _ in range(2):
        receipt = imported(stores, clock, file)
        assert numbers(receipt, "created", "updated", "newer", "conflicts") == {}
        assert content(export(stores, clock, tmp_path / "again.zip")) == content(file)


async def test_another_deployment_takes_it_and_goes_on(stores, clock, tmp_path, source):
    file = source.file
    receipt = imported(stores, clock, file)
    assert receipt["conflicts"] == []
    assert content(export(stores, clock, tmp_path / "here.zip")) == content(file)
    assert stores.states.agents() == [AGENT]
    # The nightly job continues the chain of seals, and archived decisions expire as they would have there.
    clock.advance(86_400_000 * 5)
    archived = archive_due_days(AGENT, NOON.date() + timedelta(days=4), stores)
    assert (archived["decisions"], archived["postponed"]) == (1, [])
    assert problems(stores, clock) == ("unchanged", [])
    clock.advance(86_400_000 * 100)
    logger = DecisionLogger(AGENT, stores=stores, clock=clock)
    assert len(await logger.query_decisions(limit=10)) == 6


def without_cache(file):
    """The content without short-term memory: the clock of a server is not the one of the test."""
    return {name: found for name, found in content(file).items() if name != "short_term"}


async def test_a_later_export_updates_an_earlier_import(stores, clock, tmp_path):
    source = in_memory_stores(clock)
    ids = await fill(source, clock)
    imported(stores, clock, export(source, clock, tmp_path / "monday.zip"))
    memory = MemoryManager(AGENT, stores=source, clock=clock)
    logger = DecisionLogger(AGENT, memory_manager=memory, clock=clock)
    clock.advance(86_400_000 * 5)
    for made in (ids[0], ids[2], ids[4]):
        await logger.log_outcome(made, {"profit": 9}, True, horizon="exit")
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.4})
    await memory.save_state({"configuration": {"rate": 0.3}})
    for day in (1, 2, 3, 4):  # late outcomes rewrite their days, and learning goes on
        run_nightly_jobs([AGENT], NOON.date() + timedelta(days=day), source)
    friday = export(source, clock, tmp_path / "friday.zip")
    receipt = imported(stores, clock, friday)
    assert receipt["conflicts"] == []
    assert numbers(receipt, "updated")["states"] >= 3
    assert without_cache(export(stores, clock, tmp_path / "here.zip")) == without_cache(friday)
    assert problems(stores, clock) == ("unchanged", [])
    again = imported(stores, clock, tmp_path / "monday.zip")
    assert again["conflicts"] == []
    assert numbers(again, "created", "updated") == {}
    assert numbers(again, "newer")["decisions"] == 2  # and one is in the archive
    assert without_cache(export(stores, clock, tmp_path / "here.zip")) == without_cache(friday)


async def test_what_contradicts_the_export_is_kept_and_listed(stores, clock, tmp_path, source):
    ids, file = source.ids, source.file
    memory = MemoryManager(AGENT, stores=stores, clock=clock)
    logger = DecisionLogger(AGENT, memory_manager=memory, clock=clock)
    await logger.log_decision(
        "QUERY", {"other": 1}, {}, decision_id=ids[3], timestamp=NOON - timedelta(days=27, hours=1)
    )
    own = await logger.log_decision("QUERY", {"own": 1}, {}, timestamp=NOON - timedelta(days=33))
    archive_due_days(AGENT, NOON.date() - timedelta(days=1), stores)
    await memory.store_ltm("PATTERN", "pump", {"confidence": 0.1})
    await memory.store_stm("mine", "another")
    before = content(export(stores, clock, tmp_path / "before.zip"))
    receipt = imported(stores, clock, file)
    named = {one["id"] for one in receipt["conflicts"]}
    assert named == {f"decisions: {ids[3]}", "memories: PATTERN pump"}
    assert [one["id"] for one in receipt["not_imported"]] == ["the archive and its seals"]
    assert receipt["counts"]["decisions"] == {"created": 5, "conflicts": 1}
    after = content(export(stores, clock, tmp_path / "after.zip"))
    assert set(before["decisions.jsonl"]) <= set(after["decisions.jsonl"])
    assert ("mine", '"another"') in after["short_term"]
    # The archive here has a chain of its own, which the next nightly job continues with the imported days.
    assert problems(stores, clock) == ("unchanged", [])
    clock.advance(86_400_000)
    assert archive_due_days(AGENT, NOON.date(), stores)["rewritten"] == 3
    assert problems(stores, clock) == ("unchanged", [])
    found = await DecisionLogger(AGENT, stores=stores, clock=clock).query_decisions(limit=10)
    assert {one["decision_id"] for one in found} == {*ids, own}


async def test_a_lost_bucket_is_filled_again(stores, clock, tmp_path, exported):
    _, file = exported
    stores.blobs.erase(archive_prefix(AGENT), dry_run=False)
    assert problems(stores, clock)[0] == "changed"
    receipt = imported(stores, clock, file)
    assert numbers(receipt, "created") == {"objects": 6}
    assert problems(stores, clock) == ("unchanged", [])


async def test_without_a_bucket_decisions_are_in_the_table(stores, clock, tmp_path, source):
    ids, file = source.ids, source.file
    bare = replace(in_memory_stores(clock), blobs=None, archive=None, evidence=None, short_term=None)
    receipt = imported(bare, clock, file)
    assert receipt["conflicts"] == []
    assert {one["id"] for one in receipt["not_imported"]} == {
        "the archive and its seals",
        "evidence, reports and pruned memories",
        "short-term memory",
    }
    found = await DecisionLogger(AGENT, stores=bare, clock=clock).query_decisions(limit=10)
    assert [one["decision_id"] for one in found] == ids[::-1]
    assert bare.states.get(AGENT, "ARCHIVE_CHAIN") is None
    assert bare.states.get(AGENT, LEARNING_PROGRESS) is not None


WRITES = [
    ("blobs", "write"),
    ("decisions", "restore"),
    ("decisions", "link"),
    ("decisions", "expire"),
    ("memories", "put"),
    ("states", "restore"),
    ("states", "register"),
    ("short_term", "run"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "after"), [(0, False), (1, True)])
@pytest.mark.parametrize(("store", "method"), WRITES)
async def test_an_interrupted_import_is_continued(clock, tmp_path, source, store, method, number, after):
    file = source.file
    target = in_memory_stores(clock)
    broken = replace(target, **{store: FailingOnce(getattr(target, store), method, number, after=after)})
    try:
        imported(broken, clock, file)
    except Unavailable:
        assert target.states.agents() == [] or after
    receipt = imported(target, clock, file)
    assert receipt["conflicts"] == []
    assert content(export(target, clock, tmp_path / "here.zip")) == content(file)
    assert problems(target, clock) == ("unchanged", [])


# --- damaged items of the deployment ------------------------------------------------------------------


async def test_damaged_items_are_conflicts_and_the_others_are_unchanged(stores, clock, exported):
    ids, file = exported
    states = ("CHECKPOINT#first", keys.ARCHIVE_CHAIN, keys.LEARNING_PROGRESS)
    for one in states:
        damage_state(stores, AGENT, one)
    damage_version(stores, AGENT, "PATTERN", "gone", 1)
    damage_memory(stores, AGENT, "PATTERN", "pump")
    damage_decision(stores, DecisionKey(AGENT, "QUERY", timestamp_of(ids[4]), ids[4]))
    for dry_run in (True, False):
        receipt = imported(stores, clock, file, dry_run=dry_run)
        conflicts = {one["id"]: one["why"] for one in receipt["conflicts"]}
        memories = {"memories: PATTERN gone", "memories: PATTERN pump"}
        assert set(conflicts) == {f"decisions: {ids[4]}", *memories, *(f"states: {one}" for one in states)}
        assert all("damaged" in why for why in conflicts.values())
        assert numbers(receipt, "conflicts") == {"decisions": 1, "memories": 2, "states": len(states)}
        assert numbers(receipt, "created", "updated") == {}


async def test_what_follows_a_damaged_item_in_the_export_is_imported(stores, clock, exported):
    """All but a few damaged items was lost."""
    ids, file = exported
    AgentData(AGENT, stores, clock).forget(dry_run=False)
    await MemoryManager(AGENT, stores=stores, clock=clock).store_ltm("PATTERN", "gone", {"confidence": 0.1})
    damage_version(stores, AGENT, "PATTERN", "gone", 1)
    damage_state(stores, AGENT, keys.ARCHIVE_PROGRESS)
    receipt = imported(stores, clock, file)
    assert {one["id"] for one in receipt["conflicts"]} == {"memories: PATTERN gone", f"states: {keys.ARCHIVE_PROGRESS}"}
    assert stores.memories.get(AGENT, "TEAMS_OWN", "rule").data == {"a": 1.0}
    assert stores.states.get(AGENT, keys.CURRENT_STATE).version == 2
    found = await DecisionLogger(AGENT, stores=stores, clock=clock).query_decisions(limit=20)
    assert {one["decision_id"] for one in found} == set(ids)


# --- damaged files -----------------------------------------------------------------------------------


def changed(file, name, change):
    """A copy of an export in which one member is changed by a function, or removed."""
    copy = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for one in old.namelist():
            body = old.read(one)
            body = change(body) if one == name else body
            if body is not None:
                new.writestr(one, body)
    return copy


def in_line(number, old, new):
    def change(body):
        lines = body.splitlines(keepends=True)
        assert old in lines[number - 1], lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new, 1)
        return b"".join(lines)

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("decisions.jsonl", in_line(3, b'"context": {', b'"context": {{'), "decisions.jsonl line 3: is not JSON"),
        ("decisions.jsonl", in_line(2, b'"hunter"', b'"winner"'), "decisions.jsonl line 2: agent_id: 'winner' is an"),
        ("decisions.jsonl", in_line(2, b'"QUERY"', b'"OTHER"'), "line 2: decision_id: "),
        ("decisions.jsonl", in_line(1, b'"success": true', b'"success": "yes"'), "line 1: success: expected true or"),
        ("decisions.jsonl", in_line(1, b'"reasoning"', b'"reason"'), "line 1: reasoning: is missing"),
        ("decisions.jsonl", in_line(1, b'"n": 1.0', b'"n": NaN'), "line 1: is not JSON: NaN is not a JSON number"),
        ("decisions.jsonl", in_line(1, b"1.0", b"1e999"), "line 1: context/n"),
        ("decisions.jsonl", lambda _body: None, "it has no decisions.jsonl"),
        ("decisions.jsonl", lambda body: body[: body.rindex(b"\n", 0, -1) + 1], "has 5 lines; 6 were exported"),
        ("decisions.jsonl", lambda body: b"[]\n" + body, "line 1: line: expected a JSON object, got []"),
        ("memories.jsonl", in_line(1, b'"version": 1', b'"version": 0'), "memories.jsonl line 1: version: "),
        ("memories.jsonl", in_line(1, b'"confidence": 0.', b'"confidence": 7.'), "memories.jsonl line 1: confidence"),
        ("states.jsonl", in_line(1, b'"version"', b'"revision"'), "states.jsonl line 1: version: is missing"),
        ("short_term.jsonl", in_line(1, b'"key"', b'"name"'), "short_term.jsonl line 1: key: is missing"),
        ("export.json", lambda body: body.replace(b'"format": 2', b'"format": 3'), "3 is of a later version"),
        ("export.json", lambda body: body.replace(b'"hunter"', b'"winner"'), "it is 'winner', not 'hunter'"),
        ("export.json", lambda _body: b"{", "export.json: is not JSON"),
        (
            "objects/decisions/agent_id=hunter/date=2026-10-11/_manifest-0001.json",
            lambda body: body.replace(b'"rows":1', b'"rows":2') + b" ",
            "is not a valid manifest",
        ),
    ],
)
async def test_a_damaged_file_is_refused_and_changes_nothing(clock, tmp_path, name, change, message, source):
    file = changed(shutil.copy(source.file, tmp_path / "hunter.zip"), name, change)
    target = in_memory_stores(clock)
    with pytest.raises(InvalidInput) as refused:
        imported(target, clock, file)
    assert message in str(refused.value)
    assert AgentData(AGENT, target, clock).forget(dry_run=True)["counts"] == dict.fromkeys(
        ("short_term", "decisions_and_links", "memories_and_versions", "objects_and_versions", "states"), 0
    )


async def test_a_damaged_day_of_the_archive_keeps_nothing_else_back(clock, tmp_path, source):
    day = "objects/decisions/agent_id=hunter/date=2026-10-11/decisions.parquet"
    file = changed(shutil.copy(source.file, tmp_path / "hunter.zip"), day, lambda body: body[:-200])
    target = in_memory_stores(clock)
    for _ in range(2):
        receipt = imported(target, clock, file)
        assert receipt["conflicts"] == []
        assert [one["id"] for one in receipt["not_imported"]] == [f"archive of {source.ids[1]}"]
    found = await DecisionLogger(AGENT, stores=target, clock=clock).query_decisions(limit=10)
    assert {one["decision_id"] for one in found} == set(source.ids)
    assert problems(target, clock)[0] == "changed"


@pytest.mark.slow
async def test_a_flipped_bit_or_a_cut_anywhere_is_noticed(clock, tmp_path, source):
    body = source.file.read_bytes()
    target = in_memory_stores(clock)
    damaged = tmp_path / "damaged.zip"
    intact = content(source.file)
    for step in range(40):
        at = step * len(body) // 40
        flipped = bytearray(body)
        flipped[at] ^= 0x10
        for damage in (bytes(flipped), body[:at]):
            damaged.write_bytes(damage)
            try:
                imported(target, clock, damaged)
            except InvalidInput:
                assert target.states.agents() == []
            else:  # a bit of the zip file that no reader uses
                assert content(export(target, clock, tmp_path / "here.zip")) == intact
                target = in_memory_stores(clock)


def test_files_that_are_not_exports(clock, tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "no")
    (tmp_path / "text.zip").write_text("no")
    for file, message in (
        (other, "it contains 'readme.txt'"),
        (tmp_path / "text.zip", "not a zip file"),
    ):
        with pytest.raises(InvalidInput, match=message):
            imported(in_memory_stores(clock), clock, file)
    with pytest.raises(InvalidInput, match="cannot be read"):
        imported(in_memory_stores(clock), clock, tmp_path / "nowhere.zip")


async def test_an_export_of_an_earlier_version(clock, tmp_path, source):
    """It has neither a description nor objects nor what was added to the rows."""
    ids, file = source.ids, source.file
    old = tmp_path / "old.zip"
    with zipfile.ZipFile(file) as new, zipfile.ZipFile(old, "w") as archive:
        for name in ("decisions.jsonl", "memories.jsonl", "states.jsonl", "short_term.jsonl"):
            rows = [json.loads(line) for line in new.read(name).splitlines()]
            dropped = ("revision", "ancestors", "hidden_data")
            lines = [json.dumps({key: value for key, value in row.items() if key not in dropped}) for row in rows]
            archive.writestr(name, "".join(f"{line}\n" for line in lines))
    target = in_memory_stores(clock)
    receipt = imported(target, clock, old)
    assert receipt["conflicts"] == []
    assert receipt["counts"]["short_term"] == {"expired": 2}
    found = await DecisionLogger(AGENT, stores=target, clock=clock).query_decisions(limit=10)
    assert [one["decision_id"] for one in found] == ids[::-1]
    chain = await DecisionLogger(AGENT, stores=target, clock=clock).get_decision_chain(ids[0])
    assert {one["decision_id"] for one in chain} >= set(ids[1:5])
    assert numbers(imported(target, clock, old), "created", "updated", "conflicts") == {}
