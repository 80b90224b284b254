"""A deployment's lifecycle: upgraded from an earlier version, compared, removed, and deployed again over its data."""

import asyncio
import io
import re
import subprocess
import tarfile
from datetime import UTC, date, datetime, timedelta

import pytest

from agent_memory import AgentMemoryClient
from agent_memory.archive.verification import verify_archive
from agent_memory.core.ids import decision_id_for
from agent_memory.storage.schema import TABLES
from local import LocalCloud, LocalCloudError
from local.layout import ROOT, Layout
from local.stores import stores_of
from tests.local.inventory import added, inventory
from tests.local.nightly_job import run_nightly_job
from tests.outcomes import known_at_once

pytestmark = [pytest.mark.local_cloud, pytest.mark.slow]

# The version that is upgraded from. A commit and not a tag, so that any clone with history has it.
BASELINE = "9f2af87"
AGENT = "veteran"
NOW = datetime.now(UTC)
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
AGES_IN_DAYS = (33, 31, 2, 1)
KEEP = {"keep_data": "true"}
WITH_DASHBOARD = {**KEEP, "dashboard": "true"}  # the earlier version always had one
STORAGE = "agent-memory-storage"
# "Update requires: No interruption", though the emulator reports a possible replacement; policies replace nothing.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
CHANGED_IN_PLACE = {"AWS::S3::Bucket": {"DeletionPolicy", "LifecycleConfiguration"}}
STATEFUL = (
    "AWS::DynamoDB::",
    "AWS::S3::Bucket",
    "AWS::ElastiCache::",
    "AWS::KMS::",
    "AWS::SecretsManager::",
    "AWS::SQS::",
)


# --- what an agent writes, and reads again -----------------------------------------------------------


def client_of(cloud):
    return AgentMemoryClient(cloud.api_url, AGENT, session=cloud.boto_session())


async def write_data(cloud):
    """Decisions old enough for the archive and young ones, a memory with a history, a state with a checkpoint."""
    decisions = [
        {
            "decision_id": decision_id_for("QUERY", TODAY - timedelta(days=age, hours=-k), f"{age} {k}"),
            "decision_type": "QUERY",
            "context": {"market": {"trend": "up" if k % 2 else "down"}},
            "reasoning": {"age": age, "score": 0.1 * k},
        }
        for age in AGES_IN_DAYS
        for k in range(10)
    ]
    async with client_of(cloud) as client:
        assert {one["status"] for one in await client.log_decisions(decisions)} == {"created"}
        outcomes = [
            {"decision_id": d["decision_id"], "outcome": {"of": d["reasoning"]}, "success": True} for d in decisions
        ]
        assert {one["status"] for one in await client.log_outcomes(known_at_once(outcomes))} == {"recorded"}
        await client.store_ltm("STRATEGY", "patience", {"confidence": 0.6, "rule": "wait"})
        await client.update_ltm_confidence("patience", 0.8, memory_type="STRATEGY")
        await client.save_state({"cycle": 7}, expected_version=0)
        await client.create_checkpoint("before")


_CHANGING = {"access_count", "last_accessed", "changed_by_claimed"}


def comparable(memory):
    """A memory without the counts of its reads, which the nightly job adds up, and without what is new in responses."""
    return {name: value for name, value in memory.items() if name not in _CHANGING}


def without_empty_fields(decision):
    """A decision without fields that it has no value of: later versions have more of them."""
    return {name: value for name, value in decision.items() if value is not None}


async def read_data(cloud):
    """All of it, over the API; what is archived from the archive too."""
    async with client_of(cloud) as client:
        everything = (TODAY - timedelta(days=40), NOW)
        decisions = await client.query_decisions("QUERY", everything)
        in_context = await client.get_context_memory(everything)
        assert in_context["complete"], in_context
        read = {
            "decisions": sorted(map(without_empty_fields, decisions), key=lambda one: one["decision_id"]),
            "memories": [comparable(one) for one in await client.get_pattern_memory("STRATEGY")],
            "history": [comparable(one) for one in await client.get_ltm_history("STRATEGY", "patience")],
            "state": await client.load_state(),
            "checkpoints": await client.list_checkpoints(),
        }
    archive = stores_of(cloud).archive
    read["archived"] = {day.isoformat(): archive.read_day(AGENT, day) for day in archive.days(AGENT)}
    return read


def run_day(cloud, day: date):
    """The status of a run of the nightly job for one day."""
    return run_nightly_job(cloud, {"date": day.isoformat()})["status"]


# --- the steps of the lifecycle ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    return Layout(state=tmp_path_factory.mktemp("life") / "state")


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    """The sources of the earlier version, or None where this clone's history does not reach back to it."""
    archive = subprocess.run(["git", "archive", BASELINE], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    if archive.returncode:
        return None
    folder = tmp_path_factory.mktemp("baseline")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as sources:
        sources.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def written(layout, baseline):
    """The resources before the earlier version was deployed, and what was read from it after a nightly run."""
    sources = baseline or ROOT
    with pytest.MonkeyPatch.context() as patch:
        # Its app is to find its own packages, not those installed here.
        patch.setenv("PYTHONPATH", str(sources / "layers" / "agent_memory" / "python"))
        cloud = LocalCloud(layout, app=sources / "app.py", context=KEEP).start()
        try:
            before = inventory(cloud)
            cloud.deploy()
            asyncio.run(write_data(cloud))
            assert run_day(cloud, (TODAY - timedelta(days=1)).date()) == "SUCCEEDED"
            read = asyncio.run(read_data(cloud))
        finally:
            cloud.stop()
    return before, read


@pytest.fixture(scope="module")
def changes(layout, written):
    """What `cdk diff` says before this version is deployed over the earlier one."""
    cloud = LocalCloud(layout, context=WITH_DASHBOARD).start()
    try:
        return cloud.diff()
    finally:
        cloud.stop()


@pytest.fixture(scope="module")
def upgraded(layout, written, changes):
    """This version, deployed over the earlier one's stacks and data."""
    with LocalCloud(layout, context=WITH_DASHBOARD) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def deployed(upgraded):
    """The resources while the stacks are deployed, by service."""
    return inventory(upgraded)


@pytest.fixture(scope="module")
def removed(upgraded, deployed):
    """The resources after every stack was destroyed, by service."""
    with pytest.raises(LocalCloudError, match="TerminationProtection"):
        upgraded.cdk("destroy", STORAGE, "--force")
    upgraded.boto_session().client("cloudformation").update_termination_protection(
        StackName=STORAGE, EnableTerminationProtection=False
    )
    upgraded.cdk("destroy", "--all", "--force")
    return inventory(upgraded)


@pytest.fixture(scope="module")
def returned(upgraded, removed):
    """The stacks deployed once more, over the retained data."""
    upgraded.deploy(import_existing=True, archive_bucket=upgraded.outputs["ArchiveBucketName"])
    return upgraded


# --- what holds after each step ------------------------------------------------------------------------


def test_an_upgrade_changes_no_stored_data(baseline, written, upgraded):
    if baseline is None:
        pytest.skip(f"this clone's history does not reach back to {BASELINE}: git fetch --unshallow")
    _, before = written
    assert len(before["decisions"]) == 10 * len(AGES_IN_DAYS)
    assert sorted(before["archived"]) == [(TODAY - timedelta(days=age)).date().isoformat() for age in (33, 31)]
    assert asyncio.run(read_data(upgraded)) == before


def test_an_upgrade_replaces_nothing_that_holds_state(changes):
    plain = re.sub(r"\x1b\[[0-9;]*m", "", changes)
    resources = re.findall(r"^\[(.)\] (AWS::\S+) (\S+ .*)\n((?: .*\n)*)", plain, re.MULTILINE)
    assert any(sign == "~" and kind == "AWS::Lambda::Function" for sign, kind, *_ in resources)
    stateful = [one for one in resources if one[1].startswith(STATEFUL)]
    assert [one for one in stateful if one[0] != "~" or ("replace" in one[2] and not is_changed_in_place(one))] == []


def is_changed_in_place(resource):
    """Whether AWS changes all of a resource's changed properties without replacing it.

    The emulator reports every change of a bucket as a possible replacement.
    """
    _, kind, _, details = resource
    changed = set(re.findall(r"^ [├└]─ \[.\] (\w+)", details, re.MULTILINE))
    return bool(changed) and changed <= CHANGED_IN_PLACE.get(kind, set())


def test_the_archive_of_the_earlier_version_verifies(upgraded):
    stores = stores_of(upgraded)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    verification = verify_archive(AGENT, states=stores.states, archive=stores.archive, now_ms=now_ms)
    assert (verification.findings, verification.decisions) == ((), 20)


def test_the_nightly_job_continues_where_the_earlier_version_left_off(upgraded):
    assert run_day(upgraded, (TODAY - timedelta(days=1)).date()) == "SUCCEEDED"


def test_cdk_diff_finds_nothing_after_a_deploy(upgraded):
    assert "Number of stacks with differences: 0" in upgraded.cdk("diff", "--fail")


def test_removing_the_stacks_leaves_the_data_and_nothing_else(written, deployed, removed, upgraded):
    before, _ = written
    assert added(before, deployed).keys() == deployed.keys()  # the inventory sees every kind of thing
    assert added(before, removed) == {
        "dynamodb list_tables": {table.full_name("agent-memory") for table in TABLES},
        "s3 list_buckets": {upgraded.outputs["ArchiveBucketName"]},
    }


def test_deploying_again_imports_the_retained_data(written, returned):
    _, before = written
    assert asyncio.run(read_data(returned)) == before
    events = returned.boto_session().client("cloudformation").describe_stack_events(StackName=STORAGE)["StackEvents"]
    imported = {e["ResourceType"] for e in events if e["ResourceStatus"] == "IMPORT_COMPLETE"}
    assert imported == {"AWS::DynamoDB::Table", "AWS::S3::Bucket"}
    assert run_day(returned, (TODAY - timedelta(days=1)).date()) == "SUCCEEDED"
