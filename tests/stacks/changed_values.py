"""Another valid value of every setting, for tests that change a deployment."""

from collections.abc import Mapping
from types import MappingProxyType

BEFORE: Mapping[str, str] = MappingProxyType(
    {
        "alarm_email": "ops@example.com",
        "cache": "on",
        "dashboard": "true",
        "summary_alarm": "true",
        "time_zone": "Europe/Berlin",
    }
)
"""The settings before the change; the others have their defaults."""

OTHER_VALUES: Mapping[str, str] = MappingProxyType(
    {
        "account_concurrency": "1000",
        "alarm_email": "others@example.com",
        "anchor_bucket": "acme-audit-anchors",
        "api_burst": "77",
        "api_concurrency": "50",
        "api_requests_per_second": "33",
        "api_search_burst": "7",
        "api_search_requests_per_second": "3",
        "archive_bucket": "acme.archive-1",
        "archive_lock_days": "365",
        "audit_trail": "all",
        "cache": "off",
        "cache_node_type": "cache.m7g.large",
        "cache_nodes": "2",
        "dashboard": "false",
        "decisions_expected_hours": "3",
        "direct_agents": "market-hunter,btc.scout",
        "embedder": "bedrock",
        "encryption_key": "own",
        "environment": "dev",
        "flow_logs": "all",
        "gateway_agents": "market-hunter",
        "gateway_read_only": "true",
        "decisions_per_part": "5000",
        "keep_data": "false",
        "log_level": "WARNING",
        "log_retention_days": "14",
        "map_concurrency": "3",
        "metrics_namespace": "Desk/Memory",
        "monthly_budget_usd": "25",
        "nightly_concurrency": "5",
        "nightly_time": "03:25",
        "point_in_time_recovery": "off",
        "recall_weights": "meaning=0.7,outcome=0",
        "summary_alarm": "false",
        "table_max_read_units": "99",
        "table_max_write_units": "98",
        "time_zone": "Asia/Tokyo",
        "trace_requests": "true",
        "write_shards": "4",
    }
)
"""Each is tried on top of `BEFORE`; together they are valid, too."""

OF_ANOTHER_DEPLOYMENT = frozenset({"account", "emulator_python", "prefix", "profile", "redis_endpoint", "region"})
"""Another value of these is another deployment, or no deployment to AWS."""
