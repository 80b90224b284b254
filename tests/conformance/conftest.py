"""Fixtures of the suites; those of `tests/conftest.py` need packages that their environments do not have."""

import os
import sys

import pytest

STORE_VARIABLE = "AGENT_MEMORY_TEST_URL"
"""The URL of the store that examples use, instead of an empty file: tests/local/test_adapters.py sets it."""

PACKAGES_VARIABLE = "AGENT_MEMORY_TEST_PACKAGES"
"""A folder of packages that a store over HTTP needs; those of the suite's environment, its extra alone, come first."""

if PACKAGES_VARIABLE in os.environ:
    sys.path.append(os.environ[PACKAGES_VARIABLE])


@pytest.fixture
def url(tmp_path):
    """The URL of a store that is empty."""
    return os.environ.get(STORE_VARIABLE) or f"sqlite:///{tmp_path}/memory.db"
