"""Addresses that were edited by hand: a value that cannot be used is named, and none is a defect."""

import pytest

from tests.console.data import AGENT, LAST_DAY

TIMES = (
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "1969-12-31",
    "1970-01-01",
    "9999-12-30",
    "9999-12-31",
    "9999-12-31T10:00",
    "9999-12-31T23:59:59-12:00",
    "99991231",
    "2026-02-30",
    "\x00",
    "tomorrow",
)
DATED = ("", "/decisions", "/memories", "/earnings", "/performance", "/experiments", "/recall?q=buy", "/influence/x")
NUMBERS = ("0", "-1", "1e3", "٣", "0000000019999999", "0" * 5_000 + "1", "9" * 5_000, "\x00", "3650")
DEEP = '{"a":' * 5_000


async def status(client, path, **params):
    return (await client.raw(f"/agents/{AGENT}{path}", params=params)).status_code


@pytest.mark.parametrize("text", TIMES)
async def test_times(writer, text):
    for address in DATED:
        path, _, query = address.partition("?")
        more = dict(one.split("=") for one in query.split("&") if one)
        assert await status(writer, path, as_of=text, **more) in (200, 400), path
        assert await status(writer, path, as_of=text, days="3650", **more) in (200, 400), path
    for name in ("from", "to"):
        assert await status(writer, "/decisions", **{name: text}) in (200, 400)
    for path, name in (("/nightly", "day"), ("/learned", "day"), ("/archive", "through")):
        assert await status(writer, path, **{name: text}) in (200, 400)


async def test_a_refused_time_is_named(writer):
    page = await writer.page("/decisions?as_of=9999-12-31", status=400)
    assert "as_of" in page.visible
    assert "9999-12-31" in page.visible


@pytest.mark.parametrize("text", NUMBERS)
async def test_numbers(writer, text):
    for path, name in (("", "days"), ("/performance", "days"), ("/earnings", "days"), ("/recall", "top")):
        expected = 200 if text == "3650" and name == "days" else 400
        assert await status(writer, path, q="buy", **{name: text}) == expected


async def test_deep_json(writer):
    assert await status(writer, "/decisions", context=DEEP) == 400
    assert await status(writer, "/decisions", context="a=" + "[" * 5_000) in (200, 400)
    response = await writer.post(
        "/memories/correct", memory_type="PATTERN", memory_id="x", version="1", data=DEEP, reason="r"
    )
    assert response.status_code == 400


async def test_a_day_is_a_day_however_it_is_written(writer):
    def decisions(day):
        return writer.raw(f"/agents/{AGENT}/decisions", params={"as_of": day, "csv": "decisions"})

    expected = (await decisions(f"{LAST_DAY:%Y-%m-%d}")).text
    assert len(expected.splitlines()) > 1
    for form in ("%Y%m%d", "%G-W%V-%u"):
        assert (await decisions(LAST_DAY.strftime(form))).text == expected
