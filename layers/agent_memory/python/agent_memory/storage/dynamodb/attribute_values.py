"""Lossless conversion between JSON values and DynamoDB attribute values.

DynamoDB has a single number type, which does not distinguish `1.0` from `1`. The JSON Pointers (RFC 6901) of floats
without a fraction are therefore stored beside the document; a pointer with the prefix `-` is that of a `-0.0`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from agent_memory.core.json_values import (
    MAX_DEPTH,
    Path,
    are_plain_keys,
    as_json_type,
    checked_float,
    checked_integer,
    checked_text,
    plain_keys,
    pointer,
    too_deep_error,
)

AttributeValue = dict[str, Any]
Name = TypeVar("Name")


def encode(value: Any, path: str = "") -> tuple[AttributeValue, list[str]]:
    """A JSON value as an attribute value, and the pointers of its floats without a fraction.

    Raises:
        InvalidInput: as `core.json_values.check_json`.
    """
    integral_floats: list[str] = []
    return encode_members([value], [path], MAX_DEPTH, integral_floats)[0], integral_floats


def decode(value: AttributeValue, integral_floats: Sequence[str] = (), path: str = "") -> Any:
    """The JSON value that was encoded at `path`; `integral_floats` may have pointers to other paths, too."""
    decoded = decode_object({"": value})[""]
    for one in integral_floats:
        is_negative_zero, name = one.startswith("-"), one.removeprefix("-")
        if name == path:
            decoded = -0.0 if is_negative_zero else float(decoded)
        elif name.startswith(f"{path}/"):
            _restore_float(decoded, name[len(path) + 1 :].split("/"), negative_zero=is_negative_zero)
    return decoded


def restore_floats(documents: dict[str, Any], integral_floats: Iterable[str]) -> None:
    """Convert the numbers at pointers into named documents to floats; pointers into other documents are ignored."""
    for one in integral_floats:
        name, *tokens = one.removeprefix("-")[1:].split("/")
        if name in documents:
            _restore_float(documents, [name, *tokens], negative_zero=one.startswith("-"))


def encode_members(  # noqa: C901  one branch for each JSON type; a call per member would cost more than encoding it
    members: Iterable[Any], paths: Iterable[Path], levels: int, integral_floats: list[str]
) -> list[AttributeValue]:
    """Each member as an attribute value. Only objects and lists take a recursive call."""
    encoded: list[AttributeValue] = []
    for member, path in zip(members, paths, strict=True):
        if levels < 0:
            raise too_deep_error(path)
        if member is None:
            encoded.append({"NULL": True})
        elif isinstance(member, str):
            encoded.append({"S": member if type(member) is str and member.isascii() else checked_text(member, path)})
        elif isinstance(member, bool):
            encoded.append({"BOOL": member})
        elif isinstance(member, int):
            encoded.append({"N": str(checked_integer(member, path))})
        elif isinstance(member, float):
            number = checked_float(member, path)
            if number.is_integer():
                is_negative_zero = number == 0 and math.copysign(1.0, number) < 0
                integral_floats.append(f"{'-' if is_negative_zero else ''}{pointer(path)}")
            written = repr(number)
            encoded.append({"N": str(Decimal(written)) if "e" in written else written})
        elif type(member) is dict:
            member = member.copy()  # noqa: PLW2901  no other thread changes it between reading keys and members
            keys = list(member) if are_plain_keys(member) else plain_keys(member, path)
            inner = encode_members(member.values(), [(path, key) for key in keys], levels - 1, integral_floats)
            encoded.append({"M": dict(zip(keys, inner, strict=True))})
        elif type(member) in {list, tuple}:
            member_paths = [(path, index) for index in range(len(member))]
            encoded.append({"L": encode_members(member, member_paths, levels - 1, integral_floats)})
        else:
            encoded += encode_members([as_json_type(member, path)], [path], levels, integral_floats)
    return encoded


def decode_object(members: Mapping[Name, AttributeValue]) -> dict[Name, Any]:
    """The members of a map as JSON, floats without a fraction as integers. Only objects and lists take a call."""
    decoded: dict[Name, Any] = {}
    for name, member in members.items():
        ((kind, raw),) = member.items()
        if kind in {"S", "BOOL"}:
            decoded[name] = raw
        elif kind == "N":
            if raw.isdecimal():
                decoded[name] = int(raw)
            else:
                decoded[name] = decode_number(raw)
        elif kind == "M":
            decoded[name] = decode_object(raw) if raw else {}
        elif kind == "L":
            decoded[name] = list(decode_object(dict(enumerate(raw))).values()) if raw else []
        else:
            decoded[name] = None
    return decoded


def decode_number(text: str) -> int | float:
    """A number as an integer if it is one, else as a float."""
    number = float(text)
    if not number.is_integer():
        return number
    # A number with a fraction may be rounded to one without, but not the other way round.
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else number


def _restore_float(document: Any, tokens: Sequence[str], *, negative_zero: bool) -> None:
    """Convert the number at the tokens of a JSON Pointer to a float."""
    *path, last = [token.replace("~1", "/").replace("~0", "~") for token in tokens]
    for token in path:
        document = document[int(token) if isinstance(document, list) else token]
    key = int(last) if isinstance(document, list) else last
    document[key] = -0.0 if negative_zero else float(document[key])
