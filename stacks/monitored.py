"""The stacks that alarms and dashboard watch."""

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.api_stack import ApiStack
from stacks.base_stack import BaseStack
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

    def __iter__(self) -> Iterator[BaseStack]:
        """Each of them."""
        yield from (one for one in (self.storage, self.cache, self.api, self.nightly) if one is not None)
