"""The tools by which models use one agent's memory: what MCP and AgentCore Gateway serve. Needs pydantic."""
