"""The stacks that alarms and dashboard watch."""

from dataclasses import dataclass

from stacks.api_stack import ApiStack
from stacks.cache_stack import CacheStack
from stacks.nightly_stack import NightlyStack
from stacks.storage_stack import StorageStack


@dataclass(frozen=True, slots=True)
class MonitoredStacks:
    """All stacks of a deployment that do its work; `cache` is None where there is no cache."""

    storage: StorageStack
    cache: CacheStack | None
    api: ApiStack
    nightly: NightlyStack
