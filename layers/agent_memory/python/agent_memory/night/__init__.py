"""What happens every night to one agent: consolidate, prune, archive, report."""
