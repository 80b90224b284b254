"""What is told of settings that cannot be used."""

import difflib
from typing import Any

from pydantic import BaseModel


def unknown_key(key: str, known: list[str]) -> str:
    """Say that there is no such setting, and which one may have been meant."""
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known keys are {', '.join(known)}"
    return f"context key {key}: there is no such setting; {hint}"


def problem(model: type[BaseModel], error: dict[str, Any]) -> str:
    """Say of one of pydantic's errors which key it is about, what is wrong and what to do."""
    text = str(error["msg"]).removeprefix("Value error, ")
    key = str(error["loc"][0]) if error["loc"] else text.partition(": ")[0]
    if not error["loc"]:
        return f"context key {key}: {text.partition(': ')[2]}. {_advice(model, key)}"
    return f"context key {key}: {error['input']!r:.80} cannot be used: {text}. {_advice(model, key)}"


def _advice(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    example = (field.examples or [""])[0]
    return f'It is {field.description}. Set it with -c {key}={example} or under "context" in cdk.json.'
