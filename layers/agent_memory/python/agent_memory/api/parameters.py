"""Types of path and query parameters that several routes share."""

import re
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import AfterValidator

from agent_memory.core.ids import PATTERNS, check_agent_id, name_in_path

_MAX_LENGTHS = {"agent_id": 63, "decision_id": 36, "horizon": 63, "type": 63}
_CLASS_WITH_SLASH = re.compile(r"\[([^\]]*)/([^\]]*)\]")


def documented_pattern(kind: str) -> dict[str, Any]:
    """Pattern and lengths of an identifier for the document; the domain checks them and names the field."""
    pattern = PATTERNS[kind].pattern.replace(r"\Z", "$")
    return {"pattern": f"^{pattern}", "minLength": 1, "maxLength": _MAX_LENGTHS.get(kind, 255)}


def path_parameter(kind: str, description: str) -> Any:
    """A path parameter that is an identifier of a kind in `PATTERNS`, in which `/` is written `~1`."""
    schema = documented_pattern(kind)
    pattern = _CLASS_WITH_SLASH.sub(r"(?:[\1\2]|~1)", schema["pattern"])
    if pattern == schema["pattern"]:
        return Path(description=description, json_schema_extra=schema)
    schema |= {"pattern": pattern, "maxLength": 2 * schema["maxLength"]}
    return Path(description=f"{description}; `/` is written `~1`", json_schema_extra=schema)


def name_query(kind: str, description: str) -> Any:
    """A query parameter that is an identifier of a kind in `PATTERNS`."""
    return Query(description=description, json_schema_extra=documented_pattern(kind))


def json_query(description: str) -> Any:
    """A query parameter that is the text of a JSON object, percent-encoded like any text."""
    schema = {"contentMediaType": "application/json", "contentSchema": {"type": "object"}}
    return Query(description=description, json_schema_extra=schema)


def json_list_query(description: str) -> Any:
    """A query parameter that is the text of a JSON array of strings, percent-encoded like any text."""
    content = {"type": "array", "items": {"type": "string"}}
    return Query(
        description=description, json_schema_extra={"contentMediaType": "application/json", "contentSchema": content}
    )


AgentId = Annotated[str, path_parameter("agent_id", "The agent"), AfterValidator(check_agent_id)]
DecisionId = Annotated[str, path_parameter("decision_id", "As created by the library or by the API")]
NAME = AfterValidator(name_in_path)
"""Decodes a name in a path, in which `/` is written `~1`."""
Flag = Literal["false", "true"]
ExpectedVersion = Annotated[int | None, Query(ge=0, description="The version to replace (0: none yet), else 409")]
Start = Annotated[str | None, Query(description="From this time on; ISO 8601 with an offset")]
End = Annotated[str | None, Query(description="Before this time; ISO 8601 with an offset")]
