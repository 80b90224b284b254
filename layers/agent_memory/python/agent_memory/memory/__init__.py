"""An agent's memory: long-term and short-term memory, cycles, states, recall, and the hierarchy over all levels."""
