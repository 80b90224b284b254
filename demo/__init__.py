"""The demo of `trading_agents.demo` on the deployed system: its stacks run in a local cloud."""
