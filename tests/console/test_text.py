"""Whatever text is stored is shown as text, and in full where it is long."""

import pytest

from agent_memory import DecisionLogger, MemoryManager
from tests.console.data import AGENT, clock

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'--><iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe",
    "مرحبا بالعالم",
    "x" * 10_000,
    "a\x00b\x1b[31m",
    "&lt;b&gt;",
    "]]>",
]


@pytest.fixture
def poisoned(fresh):
    """The path of a decision, and the id of a memory, for each hostile text, which is in every field that takes it."""
    log = DecisionLogger(AGENT, stores=fresh, clock=clock()).sync
    memory = MemoryManager(AGENT, stores=fresh, clock=clock()).sync
    found = []
    for number, text in enumerate(HOSTILE):
        memory.store_ltm(
            "PATTERN", f"rule-{number}", {"description": text, "status": text, text[:40]: text}, reason=text[:400]
        )
        decision_id = log.log_decision(
            "TRADE",
            {"market": {"trend": text[:900], text[:40]: 1}, "symbol": text},
            {
                "action": text,
                "source": text[:64],
                "note": text,
                "scores": {text[:100]: 1.5, "other": 2},
                text[:40]: [text],
            },
            metadata={"note": text},
            policy=text[:60] if text.isprintable() else None,
            memory_ids=[f"rule-{number}"],
        )
        log.log_outcome(decision_id, {"what": text}, success=True, metrics={"note": text}, horizon=None)
        found.append((decision_id, f"rule-{number}"))
    return found


def parts(page):
    return {tag for tag, _ in page.tags} & {"iframe", "img", "b", "object", "embed"}


async def test_stored_text_is_shown_as_text(writer, poisoned):
    pages = [await writer.page(path) for path in ("", "/decisions", "/memories", "/recall?q=alert", "/performance")]
    for decision_id, memory_id in poisoned:
        pages.append(await writer.page(f"/decisions/{decision_id}"))
        pages += [await writer.page(f"/{part}/PATTERN/{memory_id}") for part in ("memories", "history")]
    for page in pages:
        assert parts(page) <= {"b"}
        assert all(set(one) - {"defer"} == {"src"} for one in page.scripts)
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
        assert "49" not in [one.strip() for one in page.visible.split("\n")]
    for (decision_id, _), text in zip(poisoned, HOSTILE, strict=True):
        page = await writer.page(f"/decisions/{decision_id}")
        if text.isprintable():
            assert text in page.visible


async def test_what_is_typed_is_shown_as_text(writer):
    for text in HOSTILE[:6]:
        response = await writer.raw(f"/agents/{AGENT}/decisions", params={"text": text, "source": text})
        assert response.status_code == 200
        assert text not in response.text or "<" not in text
        assert "<script>alert" not in response.text


async def test_a_spreadsheet_runs_no_text_of_a_table(writer, fresh):
    log = DecisionLogger(AGENT, stores=fresh, clock=clock()).sync
    log.log_decision("TRADE", {"symbol": "=cmd|' /C calc'!A0"}, {"action": "@SUM(1)"}, propensity=0.5)
    response = await writer.raw(f"/agents/{AGENT}/decisions?csv=decisions")
    first = response.text.splitlines()[1]
    assert "'=cmd|" in first
    assert "'@SUM(1)" in first
    assert first.split(",")[-2] == "0.5"
