"""What queries of many decisions read; `python -m benchmarks.reads` has larger numbers."""

from agent_memory.decisions.queries import DecisionFilter
from benchmarks.prepared_dynamodb import Served
from benchmarks.reads import log_over, prepared


def test_a_query_by_a_part_of_the_context_transfers_only_what_it_returns():
    tables = prepared(3_000)
    log = log_over(tables)
    tables.served = Served()
    page = log.page(DecisionFilter(context={"symbol": "RARE"}), limit=100)
    assert (len(page.decisions), page.listing.complete) == (3, True)
    assert tables.served.requests <= 9
    assert tables.served.body_bytes < 7_000


def test_statistics_read_the_counts_of_days_and_the_decisions_of_the_open_one():
    tables = prepared(3_000)
    log = log_over(tables)
    tables.served = Served()
    counted = log.statistics(DecisionFilter(), "context")
    assert tables.served.requests <= 9
    assert tables.served.read_units <= 60
    assert counted == log.statistics(DecisionFilter(), "context", exact=True)
    assert counted["total"]["count"] == 3_000
