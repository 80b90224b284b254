"""Trials under faults: kills, throttling, races, tampering, a failing cache, load, and random requests.

`python -m tests.trials` runs them at their full size and writes docs/trials.md; the tests run them at a small size.
"""
