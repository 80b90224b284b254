"""The usage patterns of an agent with memory, as programs."""
