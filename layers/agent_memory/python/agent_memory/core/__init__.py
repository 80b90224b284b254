"""The base of every other package: errors, clock, ids, names, keys, JSON values, retention, concurrency."""
