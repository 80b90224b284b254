"""Descriptions of fields, for typed dictionaries that are part of the HTTP API's document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Described:
    """What a field means, as metadata of its type: `Annotated[str, Described("When it was made")]`.

    `schema` holds further keywords of JSON Schema. pydantic calls the method below when it makes the document; nothing
    here imports pydantic, so that the domain does not either.
    """

    text: str
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]) -> Any:
        return {**handler(core_schema), **self.schema, "description": self.text}
