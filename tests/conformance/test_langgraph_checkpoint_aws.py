"""What LangGraph's stores have to do, on langgraph-checkpoint-aws' store for DynamoDB and on ours.

The tests are those of `test_langgraph`; DynamoDB is moto's. A test that fails on their store is named below with what
it shows; it fails here once it passes there.
"""

import time

import pytest

pytest.importorskip("langgraph_checkpoint_aws", reason="`make conformance` installs the store to compare with")

from langgraph_checkpoint_aws import DynamoDBStore
from moto import mock_aws

from agent_memory import MemoryManager
from agent_memory.client.integrations.langgraph import AgentMemoryStore
from tests.conformance.test_langgraph import (  # noqa: F401  pytest collects them here with the fixtures below
    test_a_batch_reads_before_it_writes_and_the_last_write_counts,
    test_a_filter_comes_before_limit_and_offset,
    test_a_namespace_is_gone_with_its_last_item,
    test_a_prefix_ends_at_the_boundary_of_a_label,
    test_a_read_creates_no_namespace,
    test_a_search_outlives_an_item_without_the_field,
    test_a_search_reads_the_namespaces_below_its_prefix,
    test_a_wildcard_stands_for_one_label_and_only_in_conditions,
    test_an_item_is_put_read_replaced_and_deleted,
    test_changing_what_was_read_changes_nothing_stored,
    test_filters_are_those_of_the_base_class,
    test_it_works_from_async_code_and_other_loops,
    test_namespaces_that_could_be_mistaken_are_refused,
    test_numbers_stay_the_numbers_they_were,
    test_separators_inside_labels_and_keys_are_part_of_them,
    test_true_is_not_one,
)

THEIRS, OURS = "DynamoDBStore", "AgentMemoryStore"
_FLOATS, _OPERATORS = "a float cannot be stored", "a filter knows equality only"
_ONE_NAMESPACE = "a search reads the namespace itself, and none below it"
FAILS_ON_THEIRS = {
    "test_a_batch_reads_before_it_writes_and_the_last_write_counts": "a batch's later reads see its earlier writes",
    "test_a_filter_comes_before_limit_and_offset": "the filter comes after the limit: matching items are left out",
    "test_a_prefix_ends_at_the_boundary_of_a_label": _ONE_NAMESPACE,
    "test_a_search_reads_the_namespaces_below_its_prefix": _ONE_NAMESPACE,
    "test_a_wildcard_stands_for_one_label_and_only_in_conditions": "a wildcard is taken for a label",
    "test_an_item_is_put_read_replaced_and_deleted": _FLOATS,
    "test_numbers_stay_the_numbers_they_were": _FLOATS,
    "test_separators_inside_labels_and_keys_are_part_of_them[:]": "('a:b',) and ('a', 'b') are one namespace",
    "test_true_is_not_one": "true meets a filter for 1",
    "test_an_item_expires_at_the_read_by_the_real_clock": "an expired item is read until DynamoDB deletes it",
    **{f"test_filters_are_those_of_the_base_class[condition{n}-found{n}]": _OPERATORS for n in range(1, 6)},
}


@pytest.fixture(params=[THEIRS, OURS])
def store(request, url, monkeypatch):
    """A store, with the expected failure of the test on theirs."""
    if request.param == OURS:
        yield AgentMemoryStore(MemoryManager("hunter", stores=url))
        return
    case = request.node.name.replace(f"[{THEIRS}-", "[").removesuffix(f"[{THEIRS}]")
    if case in FAILS_ON_THEIRS:
        request.applymarker(pytest.mark.xfail(strict=True, reason=FAILS_ON_THEIRS[case]))
    for name, value in (
        ("ACCESS_KEY_ID", "testing"),
        ("SECRET_ACCESS_KEY", "testing"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        theirs = DynamoDBStore("comparison", region_name="us-east-1")
        theirs.setup()
        yield theirs


@pytest.fixture
def mended(store):
    """The same, by the name that tests of LangGraph's own defects ask for."""
    return store


def test_an_item_expires_at_the_read_by_the_real_clock(store):
    store.put(("a",), "k", {"n": 1}, ttl=0.001)
    store.put(("a",), "forever", {"n": 2})
    time.sleep(1.1)  # their times are whole seconds
    assert store.get(("a",), "k") is None
    assert [one.key for one in store.search(("a",))] == ["forever"]


def test_an_item_over_400_kb_is_an_error_and_the_one_before_stays(store):
    store.put(("a",), "k", {"text": "small"})
    with pytest.raises(Exception, match=r"(?i)exceed|can be stored"):  # each store has its own
        store.put(("a",), "k", {"text": "x" * 500_000})
    assert store.get(("a",), "k").value == {"text": "small"}
