"""What a Redis server, or the way to it, may answer instead of a result, and what becomes of it: one table.

An answer is recognised by the first word of the server's error and a part of its text, or by the class of the
exception. The first row that matches counts; docs/decisions/0039 explains the choices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LEAST_VERSION = (6, 2)


class Action(StrEnum):
    """What becomes of a call."""

    RECONNECT = "reconnect"
    """Connect again and repeat the call once; if that fails in the same way, go on without the cache."""
    REFUSE = "refuse"
    """`Misconfigured`: only another setting helps, and the error says which."""
    GO_ON = "go on"
    """`CacheUnavailable`: it passes by itself, and callers go on without the cache."""
    UNREADABLE = "unreadable"
    """`Unreadable`: names the key; the other keys are answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the table.

    Attributes:
        name: the error's first word, or the class of the exception.
        action: what becomes of the call.
        meaning: what it means, and for REFUSE what to do.
        text: a part of the error's text; empty for any.
    """

    name: str
    action: Action
    meaning: str
    text: str = ""


_RECONNECT, _REFUSE, _GO_ON, _UNREADABLE = Action.RECONNECT, Action.REFUSE, Action.GO_ON, Action.UNREADABLE
_CREDENTIALS = "write redis://USER:PASSWORD@HOST:PORT, or with IAM rediss://USER@HOST:PORT?iam=CACHE"
_TOO_OLD = "Redis 6.2 or later, or Valkey, is needed"

ANSWERS: tuple[Answer, ...] = (
    # The server's errors by their first word.
    Answer("READONLY", _RECONNECT, "the server is a replica; after a failover the name leads to the new primary"),
    Answer("MOVED", _RECONNECT, "the server is a node of a cluster, and another node has the key"),
    Answer("ASK", _RECONNECT, "the server is a node of a cluster, and the key moves to another node"),
    Answer("LOADING", _GO_ON, "the server is starting"),
    Answer("MASTERDOWN", _GO_ON, "the replica has lost its primary"),
    Answer("CLUSTERDOWN", _GO_ON, "the cluster does not serve all slots"),
    Answer("TRYAGAIN", _GO_ON, "the keys of the call are being moved"),
    Answer("OOM", _GO_ON, "the server's memory is full, and it evicts nothing; reads are answered"),
    Answer("MISCONF", _GO_ON, "the server cannot save to its disk and refuses writes; reads are answered"),
    Answer("NOREPLICAS", _GO_ON, "the primary has too few replicas and refuses writes; reads are answered"),
    Answer("BUSY", _GO_ON, "the server runs a script"),
    Answer("WRONGTYPE", _UNREADABLE, "it is of another type"),
    Answer("NOAUTH", _REFUSE, f"the server demands a user or a password; {_CREDENTIALS}"),
    Answer("WRONGPASS", _REFUSE, f"the user or the password is wrong; {_CREDENTIALS}"),
    Answer(
        "NOPERM",
        _REFUSE,
        "the user lacks a permission; short-term memory needs ~stm:* +@read +@write +@connection +@transaction, "
        "and in a cluster +cluster",
    ),
    Answer("DENIED", _REFUSE, "the server is in protected mode and accepts no other hosts; set a password on it"),
    Answer("NOPROTO", _REFUSE, "the server does not speak this protocol; write ?protocol=2"),
    Answer("ERR", _GO_ON, "the server has too many clients", text="max number of clients"),
    Answer("ERR", _REFUSE, f"the password is wrong; {_CREDENTIALS}", text="invalid password"),
    Answer("ERR", _REFUSE, "the server has no password, but one is set; remove it", text="without any password"),
    Answer("ERR", _REFUSE, "the server has no password, but one is set; remove it", text="no password is set"),
    Answer("ERR", _REFUSE, "there is no such database; change the number after the port", text="DB index"),
    Answer("ERR", _REFUSE, "a cluster has only database 0; remove the number after the port", text="SELECT"),
    Answer("ERR", _REFUSE, f"a command is unknown; {_TOO_OLD}", text="unknown command"),
    Answer("ERR", _REFUSE, f"a command is unknown; {_TOO_OLD}", text="unknown subcommand"),
    Answer("ERR", _REFUSE, f"a command has other arguments; {_TOO_OLD}", text="wrong number of arguments"),
    Answer("ERR", _REFUSE, f"a command has other arguments; {_TOO_OLD}", text="syntax error"),
    Answer("ERR", _UNREADABLE, "it is not a number", text="not an integer"),
    Answer("ERR", _UNREADABLE, "it is not a number", text="not a valid float"),
    # The way to the server, by the class of the exception.
    Answer("gaierror", _GO_ON, "no name server answers", text="Temporary failure in name resolution"),
    Answer("gaierror", _REFUSE, "the host name does not resolve; check it"),
    Answer("SSLCertVerificationError", _REFUSE, "the server's certificate is not trusted; set ?ssl_ca_certs=FILE"),
    Answer("SSLError", _REFUSE, "the port speaks no TLS; write redis://", text="WRONG_VERSION_NUMBER"),
    Answer("SSLError", _REFUSE, "the port speaks no TLS; write redis://", text="RECORD_LAYER_FAILURE"),
    Answer(
        "SSLError",
        _REFUSE,
        "the server refuses the TLS connection; it may demand ?ssl_certfile=FILE&ssl_keyfile=FILE",
        text="ALERT",
    ),
    Answer("InvalidResponse", _REFUSE, "what listens there is not Redis, or speaks TLS; write rediss://"),
    Answer("AuthenticationError", _REFUSE, "the server or AWS refuses the user"),
    Answer("AuthorizationError", _REFUSE, "the server refuses the user"),
    Answer("MasterNotFoundError", _GO_ON, "no Sentinel knows the primary"),
    Answer("ConnectionRefusedError", _GO_ON, "nothing listens there"),
    Answer("TimeoutError", _GO_ON, "there was no answer in time"),
    Answer("ConnectionError", _REFUSE, "the server does not speak RESP3; write ?protocol=2", text="RESP version"),
    Answer("ConnectionError", _GO_ON, "the connection broke"),
)
OTHER = Answer("…", _GO_ON, "the server refused the command")


def answer_of(error: BaseException, *, has_answered: bool = False) -> tuple[Answer, str]:
    """The row of an error, and the server's or the system's own words, without arguments of commands.

    `has_answered` says that the server has answered before: a name that does not resolve is then an outage.
    """
    for one in _chain(error):
        row = next((row for row in ANSWERS if _matches(row, one)), None)
        # redis-py reports a failure to connect as a ConnectionError; why is in the exception that it comes from.
        is_general = row is not None and row.name in ("ConnectionError", "TimeoutError", "AuthenticationError")
        if row is not None and not (is_general and _chain_matches(one)):
            if row.name == "gaierror" and has_answered:
                row = Answer(row.name, _GO_ON, "the host name does not resolve at present")
            return row, _words(error)
    return OTHER, _words(error)


def is_reply(answer: Answer) -> bool:
    """Whether the server itself answered, so that it is there and may be asked for other things."""
    return (answer.name.isupper() and answer.name != "LOADING") or answer is OTHER


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and the errors that it comes from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _chain_matches(error: BaseException) -> bool:
    origins = list(_chain(error))[1:]
    return any(_matches(row, one) for one in origins for row in ANSWERS)


def _matches(row: Answer, error: BaseException) -> bool:
    if row.text and row.text not in str(error):
        return False
    if row.name.isupper():
        return row.name == _code(error)
    return any(kind.__name__ == row.name for kind in type(error).__mro__)


def _code(error: BaseException) -> str:
    """The first word of a server's error; redis-py removes it from the text of those that it knows."""
    if not type(error).__module__.startswith("redis"):
        return ""
    status_code = getattr(error, "status_code", None)
    first = _words(error).partition(" ")[0]
    return str(status_code or (first if first.isupper() else "ERR"))


def _words(error: BaseException) -> str:
    """The text of an error without the commands that redis-py and Redis quote, which contain stored values."""
    return str(error).rpartition("caused error: ")[2].partition(", with args")[0][:200]
