"""The OpenAPI 3.1 document of the HTTP API, generated from its routes by `make openapi`."""

import json
import sys
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.models import APIKey, APIKeyIn, Server, Tag

from agent_memory.api.app import ROUTERS, app
from agent_memory.api.schemas.examples import BODIES, PARAMETERS

VERSION = "1.0"

_SIGNATURE = APIKey.model_validate(
    {
        "name": "Authorization",
        "in": APIKeyIn.header,
        "description": "AWS Signature Version 4, service `execute-api`",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
)
# Powertools documents these for every validated route; this API returns 400 with its own error instead.
_POWERTOOLS_STATUS = "422"
_POWERTOOLS_MODELS = ("HTTPValidationError", "ResponseValidationError", "ValidationError")


def document() -> dict[str, Any]:
    """The document, with an example for every parameter and every body."""
    schema = app.get_openapi_schema(
        title="Agent Memory",
        version=VERSION,
        description="A memory and a decision log for AI trading agents. Every request is signed.",
        servers=[Server(url="/", description="The deployment's own address")],
        tags=[Tag(name=router.name, description=router.description) for router in ROUTERS],
        security_schemes={"signature": _SIGNATURE},
        security=[{"signature": []}],
    )
    contents: dict[str, Any] = schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    for operation in (one for methods in contents["paths"].values() for one in methods.values()):
        operation["responses"].pop(_POWERTOOLS_STATUS, None)
        for parameter in operation["parameters"]:
            parameter["example"] = _parameter_example(PARAMETERS[parameter["name"]])
        for body in (operation.get("requestBody"), *operation["responses"].values()):
            if body:
                _add_example(body["content"]["application/json"])
    schemas = contents["components"]["schemas"]
    contents["components"]["schemas"] = {
        name: schemas[name] for name in sorted(schemas) if name not in _POWERTOOLS_MODELS
    }
    return contents


def _parameter_example(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _add_example(content: dict[str, Any]) -> None:
    schema = content["schema"]
    reference = schema.get("$ref") or schema["anyOf"][0]["$ref"]
    content["example"] = BODIES[reference.rpartition("/")[2]]


def main() -> None:
    """Write the document to the file named on the command line."""
    Path(sys.argv[1]).write_text(json.dumps(document(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
