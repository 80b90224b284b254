"""Measurements of what logging costs: `make bench-decisions`."""
