"""What happens every night to one agent: consolidate, prune, archive, report."""

NIGHTLY_JOB = "nightly consolidation"
"""Who changes memories at night, in their history."""
