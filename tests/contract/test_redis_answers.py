"""Each row of the table of Redis' answers, on a server that gives it, and the table in the documentation."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from agent_memory import CacheUnavailable, MemoryManager, Misconfigured, Unreadable
from agent_memory.storage.factory import in_memory_stores, redis_client_for
from agent_memory.storage.redis.answers import ANSWERS, Action, answer_of
from agent_memory.storage.redis.circuit_breaker import FAILURES_TO_OPEN
from agent_memory.storage.redis.short_term import RedisShortTerm
from tests.redis_servers import answering, free_port

RECORD = Path(__file__).parents[2] / "docs/decisions/0039-answers-of-redis.md"

# What Redis 7 sends, and the first row for a name comes first.
SENT = {
    "READONLY": "READONLY You can't write against a read only replica.",
    "MOVED": "MOVED 866 127.0.0.1:1",
    "ASK": "ASK 866 127.0.0.1:1",
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "CLUSTERDOWN": "CLUSTERDOWN Hash slot not served",
    "TRYAGAIN": "TRYAGAIN Multiple keys request during rehashing of slot",
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF": "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "NOREPLICAS": "NOREPLICAS Not enough good replicas to write.",
    "BUSY": "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "WRONGTYPE": "WRONGTYPE Operation against a key holding the wrong kind of value",
    "NOAUTH": "NOAUTH Authentication required.",
    "WRONGPASS": "WRONGPASS invalid username-password pair or user is disabled.",
    "NOPERM": "NOPERM this user has no permissions to run the 'set' command",
    "DENIED": "DENIED Redis is running in protected mode because protected mode is enabled",
    "NOPROTO": "NOPROTO unsupported protocol version",
}
SENT_ERR = (
    "ERR max number of clients reached",
    "ERR invalid password",
    "ERR AUTH <password> called without any password configured for the default user.",
    "ERR Client sent AUTH, but no password is set",
    "ERR DB index is out of range",
    "ERR SELECT is not allowed in cluster mode",
    "ERR unknown command 'LREM', with args beginning with: 'stm:{hunter}:a' '\"secret\"'",
    "ERR unknown subcommand 'NX'",
    "ERR wrong number of arguments for 'hello' command",
    "ERR syntax error",
    "ERR value is not an integer or out of range",
    "ERR value is not a valid float",
)
REPLIES = [*SENT.values(), *SENT_ERR, "ERR something that a later version says"]
ERRORS = {Action.REFUSE: Misconfigured, Action.UNREADABLE: Unreadable}


def memory_at(port):
    store = RedisShortTerm(redis_client_for(f"redis://127.0.0.1:{port}?protocol=3"), setting="redis_endpoint")
    return MemoryManager("hunter", stores=replace(in_memory_stores(), short_term=store))


def row_of(reply):
    return next(
        (row for row in ANSWERS if reply.startswith(row.name) and row.text in reply and row.name.isupper()), None
    )


def test_every_row_of_the_server_is_tried():
    tried = {id(row_of(reply)) for reply in REPLIES}
    assert [row for row in ANSWERS if row.name.isupper() and id(row) not in tried] == []


@pytest.mark.slow
@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("when", ["reading", "connecting"])
def test_what_the_server_answers(socket_enabled, reply, when):
    row = row_of(reply)
    action = row.action if row else Action.GO_ON
    line = f"-{reply}\r\n".encode()
    # An error about a key's value is one of the results of a transaction; all others abort it.
    written = b"*1\r\n" + line if action is Action.UNREADABLE else line
    given = {b"HELLO": line} if when == "connecting" else {b"GET": line, b"SET": line, b"EXEC": written}
    if action is Action.UNREADABLE:
        given[b"SET"] = b"+QUEUED\r\n"
    if when == "connecting" and action is Action.UNREADABLE:
        pytest.skip("this is an answer about a key")
    with answering(given) as port:
        manager = memory_at(port)
        memory, short_term = manager.sync, manager.direct.short_term
        for _ in range(FAILURES_TO_OPEN + 2):
            if action in ERRORS:
                with pytest.raises(ERRORS[action]) as refused:
                    memory.retrieve_stm("a")
                assert "secret" not in str(refused.value)
                named = "redis_endpoint" if action is Action.REFUSE else "value of a "
                assert named in str(refused.value)
            else:
                assert memory.retrieve_stm("a") is None
                with pytest.raises(CacheUnavailable):
                    short_term.get("a")
        if action in ERRORS:
            with pytest.raises(ERRORS[action]):
                memory.store_stm("a", "secret")
        else:
            assert memory.store_stm("a", "secret") is False
        failures = memory.stm_metrics().failures
        assert failures > 0 or action is Action.UNREADABLE


@pytest.mark.parametrize("reply", ["READONLY You can't write", "OOM command not allowed", "MISCONF cannot save"])
def test_a_server_that_refuses_writes_is_still_read(socket_enabled, reply):
    line = f"-{reply}\r\n".encode()
    with answering({b"SET": line, b"EXEC": b"-EXECABORT discarded\r\n", b"GET": b"$1\r\n7\r\n"}) as port:
        memory = memory_at(port).sync
        for _ in range(FAILURES_TO_OPEN + 2):
            assert memory.store_stm("a", 1) is False
            assert memory.retrieve_stm("a") == 7


def test_reads_are_no_transaction(socket_enabled):
    with answering({b"MULTI": b"-OOM full\r\n", b"GET": b"$1\r\n7\r\n"}) as port:
        assert memory_at(port).sync.retrieve_stm("a") == 7


def test_no_answer_and_nothing_that_is_redis(socket_enabled):
    memory = memory_at(free_port()).sync
    assert [memory.store_stm("a", 1) for _ in range(FAILURES_TO_OPEN + 2)] == [False] * (FAILURES_TO_OPEN + 2)
    with answering({b"HELLO": b"HTTP/1.1 400 Bad Request\r\n\r\n"}) as port, pytest.raises(Misconfigured):
        memory_at(port).sync.store_stm("a", 1)


@pytest.mark.parametrize("reply", [b":5\r\n", b"*1\r\n$1\r\na\r\n", b"#t\r\n"])
def test_a_reply_of_another_shape_is_unreadable(socket_enabled, reply):
    with answering({b"GET": reply}) as port, pytest.raises(Unreadable, match="cannot be read"):
        memory_at(port).sync.retrieve_stm("a")


def test_a_name_that_does_not_resolve_is_an_outage_once_the_server_has_answered():
    from socket import gaierror

    no_name_server = gaierror(-3, "Temporary failure in name resolution")
    assert answer_of(no_name_server)[0].action is Action.GO_ON
    error = gaierror(-2, "Name or service not known")
    assert answer_of(error)[0].action is Action.REFUSE
    assert answer_of(error, has_answered=True)[0].action is Action.GO_ON


def test_the_record_holds_the_table():
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", RECORD.read_text(), flags=re.MULTILINE)
    written = [(name, action, meaning) for name, action, meaning in rows]
    expected = [
        (f"{row.name} … {row.text}" if row.text else row.name, row.action.value, row.meaning) for row in ANSWERS
    ]
    assert written == expected
