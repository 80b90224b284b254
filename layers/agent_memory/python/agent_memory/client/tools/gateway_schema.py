"""The schema of the tools for a Lambda target of Amazon Bedrock AgentCore Gateway.

A gateway knows less of JSON Schema than a model client: types, properties, required ones, items and descriptions. What
else a schema says (choices, limits, defaults) is therefore in the descriptions, and the function checks it. There is no
output schema: a result is either that of the tool or an error.
https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/gateway-add-target-lambda.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.client.tools.catalog import Tool

_KEYWORDS = (("minimum", "at least"), ("maximum", "at most"), ("maxLength", "at most characters:"))


def gateway_schema(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The definitions of tools, as `toolSchema.inlinePayload` takes them."""
    return [
        {"name": one.name, "description": one.description, "inputSchema": _arguments(one.arguments.model_json_schema())}
        for one in tools
    ]


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    found = _definition(schema, schema.get("$defs", {}))
    found.pop("description", None)
    return found


def _definition(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """A schema in the gateway's subset of JSON Schema."""
    schema = _without_null(schema, shared)
    kind = schema.get("type", "object")  # any JSON value: the subset has no name for it
    definition: dict[str, Any] = {"type": kind}
    if description := _description(schema):
        definition["description"] = description
    if kind == "array":
        definition["items"] = _definition(schema.get("items", {}), shared)
    if kind == "object" and schema.get("properties"):
        definition["properties"] = {name: _definition(one, shared) for name, one in schema["properties"].items()}
    if schema.get("required"):
        definition["required"] = list(schema["required"])
    return definition


def _without_null(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a value that is given, with the keywords beside it; an argument without a value is left out."""
    merged = dict(schema)
    if "anyOf" in merged:
        (choice,) = [one for one in merged.pop("anyOf") if one.get("type") != "null"]
        merged = {**_without_null(choice, shared), **merged}
    if "$ref" in merged:
        merged = {**shared[merged.pop("$ref").rpartition("/")[2]], **merged}
    return merged


def _description(schema: Mapping[str, Any]) -> str:
    parts = [schema.get("description", "")]
    if "enum" in schema:
        parts.append(f"one of {', '.join(schema['enum'])}")
    parts += [f"{text} {schema[keyword]:,}" for keyword, text in _KEYWORDS if keyword in schema]
    if schema.get("default") not in (None, [], ""):
        parts.append(f"{schema['default']} by default")
    return "; ".join(filter(None, parts))
