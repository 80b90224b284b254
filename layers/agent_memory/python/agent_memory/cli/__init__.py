"""The command `agent-memory`. Each subcommand is a module of its own, which `app` adds."""

from agent_memory.cli.app import main

__all__ = ["main"]
