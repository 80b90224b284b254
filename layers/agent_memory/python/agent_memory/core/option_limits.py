"""Limits of the options of a choice, shared by estimates, advice and the agents that ask for it."""

MAX_OPTIONS = 32
"""Of one choice; advice refuses more, and estimates are of the most frequent ones."""
MAX_OPTION_CHARACTERS = 64
"""Of an option's name."""
