"""The demo: real bars replayed through the deployed system, with a nightly job after each day."""

DEFAULT_DAYS = 121
"""Days of a new replay."""
