"""docs/data-retention.md names every retention time of the product with its duration."""

from agent_memory.core import retention
from stacks import PROJECT
from stacks.retention_page import constants, named_on, with_durations

PAGE = PROJECT / "docs" / "data-retention.md"


def test_the_page_is_up_to_date():
    page = PAGE.read_text()
    assert page == with_durations(page), "run `make settings`"


def test_every_retention_time_is_on_the_page():
    assert named_on(PAGE.read_text()) == set(constants())


def test_a_changed_duration_is_written_in_its_largest_unit(monkeypatch):
    row = "| logs | CloudWatch | 30 days, by default | `LOG_DAYS` |"
    monkeypatch.setattr(retention, "LOG_DAYS", 1)
    assert with_durations(row) == "| logs | CloudWatch | 1 day, by default | `LOG_DAYS` |"
    monkeypatch.setattr(retention, "RATE_LIMIT_SECONDS", 90)
    limits = "| rate limits | cache | 5 minutes | `RATE_LIMIT_SECONDS` |"
    assert with_durations(limits) == "| rate limits | cache | 90 seconds | `RATE_LIMIT_SECONDS` |"
