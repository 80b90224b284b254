"""The purpose of a deployment and the defaults that follow from it; explicit settings always win."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from agent_memory.core.retention import DEV_LOG_DAYS

Environment = Literal["dev", "prod"]

# Where a development stage differs from production, whose defaults are those of the settings: it can be deleted with
# its data, has no node that costs by the hour, and stops a runaway loop early.
DEV: Mapping[str, Any] = MappingProxyType(
    {
        "keep_data": False,
        "point_in_time_recovery": False,
        "cache": False,
        "flow_logs": "off",
        "log_retention_days": DEV_LOG_DAYS,
        "api_requests_per_second": 20,
        "api_burst": 40,
        "api_search_requests_per_second": 5,
        "api_search_burst": 10,
        "table_max_write_units": 1_000,
        "table_max_read_units": 3_000,
    }
)
