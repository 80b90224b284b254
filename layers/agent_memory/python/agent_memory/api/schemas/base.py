"""What all models of the OpenAPI document share. The routes check nothing by these models.

What may be sent is checked by the domain, whose errors name the field. The models describe it, with an example each;
tests send the examples to the routes and hold the replies against the models.
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from agent_memory.core.ids import decision_id_for

Json = dict[str, Any]

AGENT_ID = "market-hunter"
MADE_AT = "2026-10-18T10:30:00.000Z"
DECISION_ID = decision_id_for("SOURCE_SELECTION", MADE_AT, "cycle 142")
PARENT_ID = decision_id_for("LEARNING", "2026-10-18T10:29:00Z", "cycle 141")


class Shape(BaseModel):
    """A JSON object with these fields and no others."""

    model_config = ConfigDict(extra="forbid")
    example: ClassVar[Json] = {}


class ErrorBody(Shape):
    """What went wrong; `field` is a JSON Pointer into the body or the name of a parameter."""

    code: str
    message: str
    field: str | None = None
    request_id: str | None = None


class Error(Shape):
    """A refusal."""

    error: ErrorBody
    example: ClassVar[Json] = {
        "error": {"code": "invalid_input", "message": "/context: is missing", "field": "/context"}
    }
