"""Links of decisions that are logged together share items."""

from hypothesis import given
from hypothesis import strategies as st

from agent_memory.core.clock import DAY_MS
from agent_memory.core.ids import new_decision_id
from agent_memory.core.retention import EXPIRE_AFTER_DAYS
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.decisions import Link
from agent_memory.storage.dynamodb.items import item_size
from agent_memory.storage.dynamodb.links import link_items, links_from, sort_key

NOW = 1_795_176_000_000
ANCESTORS = [new_decision_id("QUERY", NOW - n) for n in range(1, 4)]


def link(ancestor_id, steps, decision_type, at_ms):
    decision_id = new_decision_id(decision_type, at_ms)
    return Link(ancestor_id, steps, DecisionKey("hunter", decision_type, at_ms, decision_id))


LINKS = st.lists(
    st.builds(
        link,
        st.sampled_from(ANCESTORS),
        st.integers(1, 5),
        st.sampled_from(["QUERY", "SIGNAL_GENERATION", "X1_Y"]),
        st.integers(NOW, NOW + 10_000),
    ),
    max_size=250,
)


def read(item):
    return links_from("hunter", item["pk"]["S"].rpartition("#")[2], item)


@given(LINKS)
def test_every_link_is_read_back_from_one_item(links):
    found = [one for item in link_items(links, NOW) for one in read(item)]
    assert sorted(found, key=sort_key) == sorted(links, key=sort_key)


@given(LINKS)
def test_an_item_is_keyed_by_its_oldest_descendant_and_expires_with_its_newest(links):
    for item in link_items(links, NOW):
        times = [one.descendant.timestamp_ms for one in read(item)]
        assert times == sorted(times)
        assert item["sk"]["S"].startswith(sort_key(read(item)[0]))
        assert int(item["ttl"]["N"]) == times[-1] // 1000 + EXPIRE_AFTER_DAYS * 86_400
        assert item_size(item) < 10_000


@given(LINKS, st.data())
def test_another_batch_never_has_the_key_of_other_links(links, data):
    """An item is never overwritten, so that its key must name all of its links."""
    others = data.draw(st.lists(st.sampled_from(links), unique_by=sort_key)) if links else []
    by_key = {(item["pk"]["S"], item["sk"]["S"]): item for item in link_items(links, NOW)}
    for item in link_items(others, NOW):
        assert by_key.get((item["pk"]["S"], item["sk"]["S"]), item) == item


def test_a_single_link_has_the_item_that_it_always_had():
    one = link(ANCESTORS[0], 2, "QUERY", NOW)
    (item,) = link_items([one, one], NOW)
    assert item == {
        "pk": {"S": f"hunter#after#{ANCESTORS[0]}"},
        "sk": {"S": sort_key(one)},
        "decision_type": {"S": "QUERY"},
        "steps": {"N": "2"},
        "ttl": {"N": str(NOW // 1000 + EXPIRE_AFTER_DAYS * 86_400)},
    }


@given(st.integers(0, 55 * 365))
def test_links_of_decisions_that_are_logged_years_late_expire(age_days):
    """DynamoDB ignores an expiry over five years past."""
    (item,) = link_items([link(ANCESTORS[0], 1, "QUERY", NOW - age_days * DAY_MS)], NOW)
    expires_ms = int(item["ttl"]["N"]) * 1000
    assert expires_ms > NOW - 5 * 365 * DAY_MS
    assert expires_ms == NOW + (EXPIRE_AFTER_DAYS - age_days) * DAY_MS or age_days > EXPIRE_AFTER_DAYS + 4 * 365 - 1


def test_a_cycle_of_eight_decisions_needs_two_items_instead_of_thirteen():
    source, query = ANCESTORS[:2]
    signals = [link(query, 1, "SIGNAL_GENERATION", NOW + n) for n in range(6)]
    from_source = [Link(source, 2, one.descendant) for one in signals]
    items = list(link_items([*signals, *from_source, link(source, 1, "QUERY", NOW)], NOW))
    assert len(items) == 2
    assert all(item_size(item) < 1024 for item in items)
