"""The command `agent-memory`; `app` puts the subcommands together."""

from agent_memory.cli.app import main

__all__ = ["main"]
