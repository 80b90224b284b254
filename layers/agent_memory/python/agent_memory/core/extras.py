"""Optional dependencies: third-party packages that an extra of this distribution installs."""

from collections.abc import Iterator
from contextlib import contextmanager

_OWN_PACKAGES = ("agent_memory", "trading_agents")


class MissingExtra(ImportError):
    """A third-party package is not installed. The message names the extra that installs it."""


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Import third-party packages in this context; `extra` is the one that installs them.

    Raises:
        MissingExtra: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in _OWN_PACKAGES:
            raise
        raise MissingExtra(f"{package} is not installed: pip install 'agent-memory[{extra}]'", name=package) from None
