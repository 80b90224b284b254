"""The async methods of `MemoryManager`, by what they work on; the work itself blocks, in a thread."""
