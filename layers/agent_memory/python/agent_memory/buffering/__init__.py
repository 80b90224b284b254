"""A decision log that never waits for its store: a write-ahead log on disk, and a thread that sends it on."""
