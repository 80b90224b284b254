"""Routes of the agent's state; each calls one domain function and builds the response."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from agent_memory.api.agent import count_short_term_reads, memory_of
from agent_memory.api.http import json_response
from agent_memory.api.parameters import NAME, AgentId, ExpectedVersion, Flag, path_parameter
from agent_memory.api.router import Router
from agent_memory.api.schemas.state import Checkpoints, Configurations, CurrentState, StateData, StateDict
from agent_memory.core.errors import Conflict, NotFound

router = Router(
    "state",
    "The agent's current state, its checkpoints, and its configurations over time.",
    middlewares=[count_short_term_reads],
)

Name = Annotated[str, path_parameter("checkpoint", "A checkpoint's name"), NAME]


@router.operation("PUT", "/state", StateDict, errors=(Conflict,))
def save_state(
    agent_id: AgentId, body: Annotated[StateData, Body()], expected_version: ExpectedVersion = None
) -> Response[str]:
    """Save the agent's current state.

    With `expected_version` the state is saved only in place of that version (else 409). A change of `configuration` is
    kept in the history of configurations.
    """
    saved = memory_of(router, agent_id).states.save(body, expected_version=expected_version)
    return json_response(saved.as_dict())


@router.operation("GET", "/state", CurrentState)
def load_state(
    agent_id: AgentId,
    fresh: Annotated[Flag, Query(description="Read the table instead of the cache")] = "false",
) -> Response[str]:
    """The agent's current state; null if no state was saved."""
    state = memory_of(router, agent_id).states.current(fresh=fresh == "true")
    return json_response({"state": state.as_dict() if state else None})


@router.operation("GET", "/state/checkpoints", Checkpoints)
def list_checkpoints(agent_id: AgentId) -> Response[str]:
    """All checkpoints in the order of their names."""
    return json_response(memory_of(router, agent_id).states.checkpoints().body("checkpoints"))


@router.operation("PUT", "/state/checkpoints/<name>", StateDict, errors=(NotFound, Conflict))
def create_checkpoint(agent_id: AgentId, name: Name) -> Response[str]:
    """Save the current state as a checkpoint, which replaces an earlier one of that name."""
    return json_response(memory_of(router, agent_id).states.checkpoint(name).as_dict())


@router.operation("POST", "/state/checkpoints/<name>/restore", StateDict, errors=(NotFound, Conflict))
def restore_checkpoint(agent_id: AgentId, name: Name, expected_version: ExpectedVersion = None) -> Response[str]:
    """Make a checkpoint the current state again, as its next version."""
    restored = memory_of(router, agent_id).states.restore(name, expected_version=expected_version)
    return json_response(restored.as_dict())


@router.operation("GET", "/state/configurations", Configurations)
def list_configurations(agent_id: AgentId) -> Response[str]:
    """All configurations of the agent over time, oldest first."""
    return json_response(memory_of(router, agent_id).states.configurations().body("configurations"))
