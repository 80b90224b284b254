"""A console on the data of `tests.console.data`, and a client that uses it as a browser of this machine does."""

import pytest

from tests.console.client import Client
from tests.console.data import console_of, fill, run_jobs


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """Stores with the data, after all nightly jobs; no test changes them."""
    stores = fill(f"sqlite:///{tmp_path_factory.mktemp('console')}/memory.db")
    run_jobs(stores)
    return stores


@pytest.fixture
def client(filled):
    return Client(console_of(filled))


@pytest.fixture
def fresh(tmp_path):
    """Stores with little data, for tests that change them."""
    return fill(f"sqlite:///{tmp_path}/memory.db", days=2)


@pytest.fixture
def writer(fresh):
    return Client(console_of(fresh))
