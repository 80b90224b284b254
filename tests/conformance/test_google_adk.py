"""The memory service on Google ADK's own package: what its in-memory service does, and what it loses."""

import asyncio

import pytest

pytest.importorskip("google.adk", reason="`make conformance` installs the google-adk extra")

from google.adk.events import Event
from google.adk.memory import InMemoryMemoryService
from google.adk.sessions import InMemorySessionService
from google.genai.types import Content, Part

from agent_memory import MemoryManager, Unavailable
from agent_memory.client.integrations.google_adk import AgentMemoryService
from tests.conformance.examples import run_example


@pytest.fixture
def memory(url):
    return MemoryManager("adk", stores=url)


@pytest.fixture(params=["InMemoryMemoryService", "AgentMemoryService"])
def service(request, memory):
    return InMemoryMemoryService() if request.param == "InMemoryMemoryService" else AgentMemoryService(memory)


def event(text, *, author="user", name=None):
    content = Content(role=author, parts=[Part(text=text)]) if text else None
    return Event(author=author, content=content, **({"id": name} if name else {}))


async def session_of(user, *texts):
    sessions = InMemorySessionService()
    session = await sessions.create_session(app_name="desk", user_id=user)
    for number, text in enumerate(texts):
        await sessions.append_event(session, event(text, name=f"{user}-{number}"))
    return await sessions.get_session(app_name="desk", user_id=user, session_id=session.id)


async def found(service, query, *, user="ann", app="desk"):
    answer = await service.search_memory(app_name=app, user_id=user, query=query)
    return [one.content.parts[0].text for one in answer.memories]


async def test_events_of_a_session_are_found_by_their_words(service):
    await service.add_session_to_memory(await session_of("ann", "fade small gaps", "buy breakouts", None))
    assert await found(service, "gaps") == ["fade small gaps"]
    assert await found(service, "options") == []
    (entry,) = (await service.search_memory(app_name="desk", user_id="ann", query="breakouts")).memories
    assert (entry.id, entry.author) == ("ann-1", "user")
    assert entry.timestamp[:2] == "20"


async def test_users_and_applications_are_apart(service):
    await service.add_session_to_memory(await session_of("ann", "fade gaps"))
    await service.add_session_to_memory(await session_of("bob", "follow gaps"))
    assert await found(service, "gaps") == ["fade gaps"]
    assert await found(service, "gaps", user="bob") == ["follow gaps"]
    assert await found(service, "gaps", app="other") == []


async def test_a_session_may_be_added_again(service):
    session = await session_of("ann", "fade gaps")
    await service.add_session_to_memory(session)
    await service.add_session_to_memory(session)
    await service.add_events_to_memory(
        app_name="desk", user_id="ann", events=[event("gaps again")], session_id=session.id
    )
    assert sorted(await found(service, "gaps")) == ["fade gaps", "gaps again"]


async def test_at_most_ten_events_are_found(service):
    await service.add_session_to_memory(await session_of("ann", *(f"gap number {n}" for n in range(15))))
    assert len(await found(service, "gap")) == 10


async def test_memories_survive_the_process_from_any_loop(url):
    session = await session_of("ann", "fade gaps")
    await AgentMemoryService(MemoryManager("adk", stores=url)).add_session_to_memory(session)
    again = AgentMemoryService(MemoryManager("adk", stores=url))
    assert await asyncio.to_thread(lambda: asyncio.run(found(again, "gaps"))) == ["fade gaps"]


async def test_a_deleted_event_stays_deleted(memory):
    service, session = AgentMemoryService(memory), await session_of("ann", "fade gaps", "buy gaps")
    await service.add_session_to_memory(session)
    await service.delete_memory(app_name="desk", user_id="ann", memory_id="ann-0")
    await service.delete_memory(app_name="desk", user_id="ann", memory_id="never")
    await service.add_session_to_memory(session)
    assert await found(service, "gaps") == ["buy gaps"]


async def test_an_outage_is_an_error_and_not_an_empty_answer(memory, monkeypatch):
    def refuse(*_):
        raise Unavailable("the table did not respond")

    monkeypatch.setattr(memory._memory, "recall", refuse)
    with pytest.raises(Unavailable):
        await found(AgentMemoryService(memory), "gaps")


def test_the_example_finds_what_was_said(url, capsys):
    run_example("google_adk_memory", url)
    assert capsys.readouterr().out.splitlines() == ["fade small gaps"]
