"""Types of path and query parameters that several routes share."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import AfterValidator

from agent_memory.core.ids import check_agent_id, name_in_path

AgentId = Annotated[str, Path(description="The agent"), AfterValidator(check_agent_id)]
DecisionId = Annotated[str, Path(description="As created by the library or by the API")]
NAME = AfterValidator(name_in_path)
"""Validates a name in a path, in which `/` is written `~1`."""
Flag = Literal["false", "true"]
Start = Annotated[str | None, Query(description="From this time on; ISO 8601 with an offset")]
End = Annotated[str | None, Query(description="Before this time; ISO 8601 with an offset")]


def json_query(description: str) -> Any:
    """A query parameter that is the text of a JSON object, percent-encoded like any text."""
    schema = {"contentMediaType": "application/json", "contentSchema": {"type": "object"}}
    return Query(description=description, json_schema_extra=schema)
