"""Buffered logging: a write-ahead log on disk, and a thread that sends its records to the store."""
