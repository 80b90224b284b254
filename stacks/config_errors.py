"""Error messages about settings: which key is wrong, why, and what to write instead."""

import difflib
from typing import Any

from pydantic import BaseModel


def unknown_setting(key: str, known: list[str]) -> str:
    """The message for a key that is not a setting; it suggests the one that was probably meant."""
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known settings are {', '.join(known)}"
    return f"context key {key}: there is no such setting; {hint}"


def invalid_setting(model: type[BaseModel], error: dict[str, Any]) -> str:
    """The message for one of pydantic's errors.

    Args:
        model: the model of the settings.
        error: the error as a dictionary. Errors of validators of the entire model begin with the key they are about.
    """
    text = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        key, _, reason = text.partition(": ")
        return f"context key {key}: {reason}. {_advice(model, key)}"
    key = str(error["loc"][0])
    return f"context key {key}: {error['input']!r:.80} is not valid: {text}. {_advice(model, key)}"


def _advice(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    example = (field.examples or [""])[0]
    return f'It is {field.description}. Set it with -c {key}={example} or under "context" in cdk.json.'
