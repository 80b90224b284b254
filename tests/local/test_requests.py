"""How many requests and capacity units each call of the decision log may cost."""

import pytest

from benchmarks.requests import measure
from local.stores import stores_of

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def measured(local_cloud):
    client = local_cloud.boto_session().client("dynamodb")
    return measure(stores_of(local_cloud, dynamodb_client=client), client)


@pytest.mark.parametrize(
    "call", ["log_decision", "log_outcome", "get_decision", "log_decisions, 25", "log_outcomes, 25"]
)
def test_one_request(measured, call):
    assert measured[call].requests == 1


@pytest.mark.parametrize("criterion", ["outcome", "context"])
def test_a_page_of_a_hundred_takes_three_requests(measured, criterion):
    """By context both indexes and, for large decisions, the table; by outcome as many as its share needs."""
    assert measured[f"query, page of 100 by {criterion}"].requests <= 3


def test_a_page_by_context_takes_two_rounds(measured):
    assert measured["query, page of 100 by context"].rounds <= 2


@pytest.mark.parametrize("where", ["", ", another process"])
def test_a_chain_of_depth_five_is_two_rounds(measured, where):
    assert measured[f"get_decision_chain, depth 5{where}"].rounds <= 2


def test_a_decision_with_its_outcome_is_five_write_units(measured):
    assert measured["log_decision"].write_units + measured["log_outcome"].write_units <= 5


def test_the_same_outcome_again_costs_one_refused_write(measured):
    assert measured["log_outcome, the same again"].requests == 1


def test_a_small_page_reads_little(measured):
    """Ten newest of four types: not a megabyte of each."""
    assert measured["query, 10 newest of all types"].read_units < 20
