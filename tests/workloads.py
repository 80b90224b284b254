"""A workload for cost tests: an agent with a cycle every ten minutes on a small deployment, with round numbers."""

from dataclasses import replace

from agent_memory.pricing import Deployment, MeasuredUnits, Workload, agent_every_ten_minutes

UNITS = MeasuredUnits(
    measured="2026-11-24",
    log_units=3,
    outcome_units=3,
    expiry_units=1,
    read_units=1,
    stored_bytes=2_200,
    link_bytes=0,
    archived_bytes=52,
    response_bytes=1_000,
    nightly_write_units=120,
    nightly_read_units=2,
    nightly_other_read_units=0,
    evidence_bytes=0,
    report_bytes=0,
    batch_log_bytes=1_000,
    read_log_bytes=1_000,
    nightly_log_bytes=0,
    access_log_bytes=1_000,
    invocation_log_bytes=1_000,
    api_seconds=0.06,
    init_seconds=0,
    init_share=0,
    counter_log_bytes=300,
    counter_seconds=0.02,
    counter_init_seconds=0.5,
    nightly_seconds=3,
    cache_bytes=0,
)
DEPLOYMENT = Deployment(
    alarm_metrics=14, composite_alarms=1, cache_nodes=1, api_memory_mb=1024, nightly_memory_mb=6144, log_days=30
)


def every_ten_minutes(**changes: object) -> Workload:
    return replace(agent_every_ten_minutes(), **changes)
