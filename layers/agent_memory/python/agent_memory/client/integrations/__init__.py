"""Adapters to agent frameworks, a file for each: they fit its conventions, on the same decision log and memory.

Each needs the extra of its name. Import the module: `from agent_memory.client.integrations.langgraph import …`.
"""
