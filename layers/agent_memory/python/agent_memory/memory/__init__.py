"""An agent's memory: long term, short term, its cycles, its state, recall, and all levels read as one."""
