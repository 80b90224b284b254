"""The demo: real bars replayed as the hours of an agent, with a nightly job after each day, on a file."""

DEFAULT_DAYS = 121
"""Days of a new replay on the deployed system; from 120 on, every memory level and retention step has data."""
DEFAULT_FILE_DAYS = 40
"""Days of a new replay into a file: it takes less than a minute, and the first days are in the archive."""
