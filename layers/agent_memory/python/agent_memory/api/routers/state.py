"""Routes of the agent's state: each parses, calls one domain function and shapes the reply."""

from agent_memory.api.query import choice, whole_number
from agent_memory.api.replies import Reply, reply
from agent_memory.api.routing import Request, Room
from agent_memory.core.errors import Conflict, NotFound

state = Room("state", "The agent's current state, checkpoints to go back to, and the configurations it had.")

_EXPECTED = whole_number("expected_version", "Replace this version (0: none yet) or nothing.", least=0)
_FRESH = choice(
    "fresh", "Read the table, whatever the session's cache holds.", {"false": False, "true": True}, default="false"
)


@state.route("PUT", "/state", query=(_EXPECTED,), takes="StateData", gives="State", refuses=(Conflict,))
def save_state(request: Request) -> Reply:
    """Make this the agent's current state.

    With `expected_version` only in place of that version (else 409). A change of `configuration` is kept in the history
    of configurations.
    """
    saved = request.memory.states.save(request.body(), expected_version=request.query["expected_version"])
    return reply(saved.as_dict())


@state.route("GET", "/state", query=(_FRESH,), gives="CurrentState")
def load_state(request: Request) -> Reply:
    """The agent's current state; null where none was saved."""
    found = request.memory.states.current(fresh=request.query["fresh"])
    return reply({"state": found.as_dict() if found else None})


@state.route("GET", "/state/checkpoints", gives="Checkpoints")
def list_checkpoints(request: Request) -> Reply:
    """Every checkpoint, in order of their names."""
    return reply({"checkpoints": request.memory.states.checkpoints()})


@state.route("PUT", "/state/checkpoints/{name}", gives="State", refuses=(NotFound, Conflict))
def create_checkpoint(request: Request) -> Reply:
    """Keep the current state under a name, in place of an earlier checkpoint of that name."""
    return reply(request.memory.states.checkpoint(request.path["name"]).as_dict())


@state.route(
    "POST", "/state/checkpoints/{name}/restore", query=(_EXPECTED,), gives="State", refuses=(NotFound, Conflict)
)
def restore_checkpoint(request: Request) -> Reply:
    """Make a checkpoint the current state again, as its next version."""
    restore = request.memory.states.restore
    return reply(restore(request.path["name"], expected_version=request.query["expected_version"]).as_dict())


@state.route("GET", "/state/configurations", gives="Configurations")
def list_configurations(request: Request) -> Reply:
    """Every configuration the agent had, oldest first."""
    return reply({"configurations": request.memory.states.configurations()})
