"""`agent-memory archive`: check an agent's archive against its seals, and restore decisions from it."""

from agent_memory.cli.groups import Commands
from agent_memory.cli.restore import restore
from agent_memory.cli.verify import verify

archive = Commands("Check archived decisions against their seals, and restore them.")
archive.command()(verify)
archive.command()(restore)
