"""What every other package builds on: array types, snapshots of state, files that survive a crash."""
