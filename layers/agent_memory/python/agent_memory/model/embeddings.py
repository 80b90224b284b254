"""Vectors of texts as they are stored with a memory: the name of the model, and half-precision numbers as Base64."""

import base64
import binascii
import math
import struct
from array import array
from collections.abc import Sequence

from agent_memory.core.errors import InvalidInput

MAX_DIMENSIONS = 4_096


def unit_vector(vector: Sequence[float]) -> "array[float]":
    """The vector with length 1, in single precision.

    Raises:
        InvalidInput: it has no or too many numbers, one is not finite, or all are zero.
    """
    numbers = [float(one) for one in vector]
    length = math.hypot(*numbers)
    if not 0 < len(numbers) <= MAX_DIMENSIONS or not math.isfinite(length) or not length:
        raise InvalidInput("embedder", f"expected 1 to {MAX_DIMENSIONS:,} finite numbers, not all zero, for each text")
    return array("f", [one / length for one in numbers])


def encoded(model: str, vector: Sequence[float]) -> str:
    """A vector of length 1 as text."""
    packed = struct.pack(f"<{len(vector)}e", *vector)
    return f"{model} {base64.b64encode(packed).decode()}"


def decoded(text: str | None, model: str) -> "array[float] | None":
    """The vector that `encoded` returned; None if there is none, or it is of another model or damaged."""
    name, _, packed = (text or "").rpartition(" ")
    if name != model:
        return None
    try:
        numbers = base64.b64decode(packed, validate=True)
        return unit_vector(struct.unpack(f"<{len(numbers) // 2}e", numbers))
    except (binascii.Error, struct.error, InvalidInput):
        return None
