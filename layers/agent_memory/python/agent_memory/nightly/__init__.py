"""The nightly job of one agent: learn from its decisions, prune its memories, archive old decisions, write a report."""

NIGHTLY_JOB = "nightly consolidation"
"""The author of the nightly job's changes in the history of memories; a stored value."""
