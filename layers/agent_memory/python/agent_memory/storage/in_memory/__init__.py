"""Stores in memory, for tests, notebooks, and agents that run without a cloud."""
