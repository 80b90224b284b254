"""The Model Context Protocol server: the tools, resources and prompts of one agent's memory. Needs the `mcp` extra."""
