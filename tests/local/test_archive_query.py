"""SQL over the archive with Athena in the local cloud."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory.core.clock import FixedClock, day_start_ms
from agent_memory.decisions.log import DecisionLog
from agent_memory.nightly.archival import archive_due_days
from local.stores import stores_of
from stacks.archive_query_stack import TABLE

pytestmark = pytest.mark.local_cloud

DAYS, DECISIONS_PER_DAY = 3, 4


@pytest.fixture
def first_day(local_cloud):
    """The first of three days that one agent has in the archive."""
    first = (datetime.now(UTC) - timedelta(days=40)).date()
    stores = stores_of(local_cloud)
    for n in range(DAYS):
        log = DecisionLog("sql", stores, FixedClock(day_start_ms(first + timedelta(days=n))))
        for k in range(DECISIONS_PER_DAY):
            context = {"market": {"trend": "up"}, "k": k}
            logged = log.log_one({"decision_type": "QUERY", "context": context, "reasoning": {}})
            log.log_one({"decision_type": "LEARNING", "context": {}, "reasoning": {}})
            if k:
                log.record_outcome({"decision_id": logged.decision_id, "outcome": {}, "success": k > 1})
    archive_due_days("sql", first + timedelta(days=35), stores)
    return first


def rows(cloud, sql):
    """The rows of the result, without the header."""
    athena = cloud.boto_session().client("athena")
    query_id = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": cloud.outputs["ArchiveDatabase"]},
        WorkGroup=cloud.outputs["ArchiveWorkgroup"],
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] not in {"QUEUED", "RUNNING"}:
            break
        time.sleep(0.05)
    assert status["State"] == "SUCCEEDED", status
    found = athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    return [tuple(value.get("VarCharValue") for value in row["Data"]) for row in found[1:]]


def test_the_files_of_the_archive_are_a_table(local_cloud, first_day):
    of_agent = f"FROM {TABLE} WHERE agent_id = 'sql'"
    by_type = rows(local_cloud, f"SELECT decision_type, count(*) {of_agent} GROUP BY decision_type ORDER BY 1")
    assert by_type == [("LEARNING", str(DAYS * DECISIONS_PER_DAY)), ("QUERY", str(DAYS * DECISIONS_PER_DAY))]
    of_agent += " AND decision_type = 'QUERY'"
    by_day = rows(local_cloud, f"SELECT date, count(*) {of_agent} AND success GROUP BY date ORDER BY date")
    assert by_day == [((first_day + timedelta(days=n)).isoformat(), "2") for n in range(DAYS)]
    (found,) = rows(local_cloud, f"SELECT context {of_agent} AND date = '{first_day}' ORDER BY timestamp_ms LIMIT 1")
    assert found[0].startswith('{"k":')
