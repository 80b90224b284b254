"""Typed dictionaries that the HTTP API validates and documents, without importing pydantic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Json = dict[str, Any]
"""A JSON object."""


def strict(typed_dict: type[T]) -> type[T]:
    """Decorate a typed dictionary: other fields are refused, and values are not converted to their field's type."""
    typed_dict.__pydantic_config__ = {"extra": "forbid", "strict": True}  # type: ignore[attr-defined]  # pydantic's own
    return typed_dict


def extensible(typed_dict: type[T]) -> type[T]:
    """Decorate a typed dictionary: other fields are allowed, even inside a `strict` one."""
    typed_dict.__pydantic_config__ = {"extra": "allow"}  # type: ignore[attr-defined]  # pydantic's own
    return typed_dict


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """The description of a field, as metadata of its type: `Annotated[str, Described("When it was made")]`.

    `schema` holds further keywords of JSON Schema. pydantic calls the method below when it generates the schema. The
    domain uses this class because it does not import pydantic.
    """

    text: str
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]) -> Any:
        return {**handler(core_schema), **self.schema, "description": self.text}
