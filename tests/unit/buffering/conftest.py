import pytest

from agent_memory.buffering import drainer


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch):
    """Back off for milliseconds."""
    monkeypatch.setattr(drainer, "_FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(drainer, "_LONGEST_BACKOFF_SECONDS", 0.004)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "buffer"
