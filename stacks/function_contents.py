"""What each Lambda function is built from: sub-packages of `agent_memory`, and groups of third-party wheels.

A function holds what it imports and nothing else. tests/stacks/test_function_contents.py compares the lists with the
imports of the handlers, and tests/lambdas/test_layers.py runs every function with a copy of its layers alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FunctionContents:
    """The contents of one function.

    Attributes:
        packages: sub-packages of `agent_memory`.
        wheels: groups of wheels: the folders of `layers` with a lock file each.
    """

    packages: tuple[str, ...]
    wheels: tuple[str, ...]


_CLIENT = (
    "admin",
    "archive",
    "client",
    "core",
    "decisions",
    "learning",
    "memory",
    "model",
    "ports",
    "storage",
)
"""`DecisionLogger` and `MemoryManager`, with what they import."""

CONTENTS: Mapping[str, FunctionContents] = MappingProxyType(
    {
        "api": FunctionContents(
            packages=("api", "archive", "core", "decisions", "learning", "memory", "model", "ports", "storage"),
            wheels=("runtime", "http", "cache", "arrow"),
        ),
        "gateway": FunctionContents(packages=("api", *_CLIENT), wheels=("runtime", "http", "cache", "arrow")),
        "counter": FunctionContents(packages=("api", "core", "model"), wheels=("runtime",)),
        "agents": FunctionContents(packages=("api", "core", "model", "ports", "storage"), wheels=("runtime",)),
        "consolidation": FunctionContents(
            packages=("api", "core", "learning", "memory", "model", "nightly", "ports", "storage"),
            wheels=("runtime", "parquet", "science"),
        ),
        "pruning": FunctionContents(
            packages=("api", "core", "learning", "memory", "model", "nightly", "ports", "storage"),
            wheels=("runtime", "cache"),
        ),
        "archival": FunctionContents(
            packages=("api", "archive", "core", "decisions", "learning", "model", "nightly", "ports", "storage"),
            wheels=("runtime", "parquet", "arrow"),
        ),
        "analytics": FunctionContents(
            packages=("api", "core", "learning", "model", "nightly", "ports", "storage"),
            wheels=("runtime", "parquet"),
        ),
    }
)
"""The contents of each function by its name, which is that of its folder in `lambdas`."""

LIBRARY = FunctionContents(packages=("buffering", *_CLIENT), wheels=("runtime", "cache", "arrow"))
"""What a function of an agent needs in order to use the stores directly."""

WHEEL_GROUPS = tuple(dict.fromkeys(group for contents in CONTENTS.values() for group in contents.wheels))
"""Every group of wheels that a function holds."""
