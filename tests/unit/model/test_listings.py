"""A listing is a list that says what it leaves out."""

import json

import pytest

from agent_memory import Listing, Unavailable
from agent_memory.core.errors import Damaged
from agent_memory.model.listings import (
    AnswerSize,
    Damages,
    Unreadable,
    fitting,
    missing_item,
    named,
    parsed,
)


def fit(entries, max_bytes, missing=()):
    return fitting(
        entries, as_dict=dict, id_of=lambda one: one["id"], max_bytes=max_bytes, missing=missing, read_directly="x"
    )


def test_a_listing_is_a_list():
    listing = Listing([3, 1, 2], [missing_item("a", "damaged", "no context")], "next")
    assert (listing, listing[0], len(listing), sorted(listing)) == ([3, 1, 2], 3, 3, [1, 2, 3])
    assert json.dumps(listing) == "[3, 1, 2]"
    assert (listing.complete, listing.cursor) == (False, "next")
    assert Listing([1]).complete
    assert not Listing([1], cursor="next").complete
    assert not Listing([1], [missing_item("a", "limit", "")]).complete
    assert listing.map(str).missing == listing.missing


def test_a_listing_goes_over_http_and_an_older_service_has_no_members():
    listing = Listing([{"a": 1}], [missing_item("x", "damaged", "lost")], "next")
    again = Listing.from_body(json.loads(json.dumps(listing.body("entries"))), "entries")
    assert (again, again.missing, again.cursor) == (listing, listing.missing, "next")
    assert Listing.from_body({"entries": [1]}, "entries").complete


def test_what_fits_is_answered_and_the_rest_is_named():
    entries = [{"id": str(n), "text": "x" * (1_000 if n % 3 == 1 else 10)} for n in range(7)]
    for max_bytes in range(0, 3_000, 100):
        found = fit(entries, max_bytes)
        ids = [one["id"] for one in found] + [one["id"] for one in found.missing]
        assert sorted(ids) == [str(n) for n in range(7)]
        assert sum(len(json.dumps(one)) for one in found) <= max(max_bytes, 0)
        assert {one["reason"] for one in found.missing} <= {"too_large"}
    assert [one["id"] for one in fit(entries, 500)] == ["0", "2", "3", "5", "6"]


def test_names_are_limited_and_the_rest_is_counted():
    missing = [missing_item(f"{n:036}", "damaged", "w" * 200) for n in range(5_000)]
    shown = named(missing)
    assert len(shown) < len(missing)
    assert shown[-1]["count"] == len(missing) - len(shown) + 1
    assert len(json.dumps(shown)) < 250_000


def test_an_outage_is_never_an_empty_listing():
    down = Unreadable("a", Unavailable("S3 did not respond")).as_dict()
    with pytest.raises(Unavailable, match="S3 did not respond"):
        fit([], 100, [down])
    assert fit([{"id": "b"}], 100, [down]).missing == [down]
    assert fit([], 100, [Unreadable("a", Damaged("lost")).as_dict()]) == []


def test_damage_is_collected_once_and_an_outage_is_raised():
    damages = Damages()
    for _ in range(2):
        damages(Unreadable("a", Damaged("lost")))
    assert damages.figures() == {"damaged": 1, "damaged_items": [missing_item("a", "damaged", "lost")]}
    with pytest.raises(Unavailable, match="S3"):
        damages(Unreadable("b", Unavailable("S3 did not respond")))


@pytest.mark.parametrize("stored", [None, {}, [], "text", {"a": {}}, {"a": "text"}])
def test_whatever_cannot_be_parsed_is_damaged(stored):
    with pytest.raises(Damaged, match="item-1 is damaged"):
        parsed("item-1", lambda one: int(one["a"]["b"]), stored)


def test_the_size_is_that_of_the_text_inside_a_response():
    entry = {"quotes": '"' * 10, "wide": "語"}
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    needed = len(json.dumps(text, ensure_ascii=False).encode()) - 2 + 1
    assert AnswerSize(needed).add(entry)
    assert not AnswerSize(needed - 1).add(entry)
