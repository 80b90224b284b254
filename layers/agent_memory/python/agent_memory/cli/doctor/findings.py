"""What a check found."""

from dataclasses import asdict, dataclass
from enum import StrEnum, auto
from typing import Any


class State(StrEnum):
    """The result of one look; what could not be seen is never `FINE`.

    Attributes:
        FINE: as it should be.
        NOTE: nothing is wrong, but it is worth knowing.
        WRONG: it has to be mended; the finding's page says how.
        NOT_ALLOWED: the caller's credentials do not permit the look.
        NO_ANSWER: AWS did not answer.
        NOT_OFFERED: a local cloud does not have this part of AWS.
    """

    FINE, NOTE, WRONG = auto(), auto(), auto()
    NOT_ALLOWED, NO_ANSWER, NOT_OFFERED = auto(), auto(), auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding about a part of the deployment.

    Attributes:
        check: what was looked at, as `point-in-time recovery`.
        subject: of which part, as a table's name.
        state: the result.
        message: a sentence; for what is wrong, also what to do.
        page: the page or runbook that mends it, empty where nothing is to be mended.
    """

    check: str
    subject: str
    state: State
    message: str
    page: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Look:
    """What one check makes of what it was shown: the state and its message."""

    state: State
    message: str
    page: str = ""


def fine(message: str) -> Look:
    """Nothing is to be done."""
    return Look(State.FINE, message)


def note(message: str, page: str = "") -> Look:
    """Not wrong, but to be known."""
    return Look(State.NOTE, message, page)


def wrong(message: str, page: str) -> Look:
    """Has to be mended; `page` says how."""
    return Look(State.WRONG, message, page)


def not_offered(message: str) -> Look:
    """The local cloud does not have it."""
    return Look(State.NOT_OFFERED, message)


DEPLOYMENT = "docs/deployment.md"
RECOVERY = "docs/disaster-recovery.md"
SECURITY = "docs/security.md"
RETENTION = "docs/data-retention.md"
CHANGES = "docs/changing-a-deployment.md"


def runbook(name: str) -> str:
    """The path of a runbook."""
    return f"docs/runbooks/{name}.md"
