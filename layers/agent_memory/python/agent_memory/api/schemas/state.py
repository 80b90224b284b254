"""Requests and responses of the agent's state."""

from typing import Any

from typing_extensions import TypedDict

from agent_memory.api.schemas.listings import ListingMembers
from agent_memory.core.fields import Json, extensible, strict


@extensible
class StateData(TypedDict):
    """The agent's state: any JSON object; changes of `configuration` are kept."""


@strict
class StateDict(TypedDict):
    """One version of a state."""

    data: Json
    version: int
    updated_at: str


@strict
class CurrentState(TypedDict):
    """The current state, if there is one."""

    state: StateDict | None


@strict
class Checkpoint(TypedDict):
    """A state that was saved under a name."""

    name: str
    version: int
    saved_at: str


@strict
class Checkpoints(ListingMembers):
    """All checkpoints in the order of their names."""

    checkpoints: list[Checkpoint]


@strict
class Configuration(TypedDict):
    """A configuration, and the version of the state that introduced it."""

    configuration: Any
    state_version: int
    since: str


@strict
class Configurations(ListingMembers):
    """All configurations of the agent over time, oldest first."""

    configurations: list[Configuration]
