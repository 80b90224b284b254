"""A month's workload for tests."""

from dataclasses import replace

from agent_memory.costs import Workload, agent_every_ten_minutes


def every_ten_minutes(**changes: object) -> Workload:
    workload = agent_every_ten_minutes(
        write_units_per_decision=7,
        read_units_per_read=1,
        item_bytes=2_200,
        archive_bytes_per_decision=52,
        nightly_write_units=120,
        nightly_read_units=15_000,
        nightly_gb_seconds=40,
        nightly_transitions=14,
        api_gb_seconds=0.03,
        log_bytes=600e6,
        alarms=14,
        dashboards=1,
        custom_metrics=9,
    )
    return replace(workload, **changes)
