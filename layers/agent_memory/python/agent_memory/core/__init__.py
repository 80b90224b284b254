"""What every other package builds on: errors, clock, ids, names, keys, JSON values, retention, concurrency."""
