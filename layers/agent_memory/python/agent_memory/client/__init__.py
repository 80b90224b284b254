"""The classes that agents use: decision log and memory, directly on the stores, over signed HTTP, or buffered."""
