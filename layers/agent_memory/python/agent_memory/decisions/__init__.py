"""The decision log of one agent: logging, outcomes, queries, chains, statistics."""
