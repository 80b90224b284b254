"""`BarsError`: a file of bars cannot be used."""


class BarsError(ValueError):
    """A file of bars cannot be used.

    The message is one line: the file, the line and the column where there are such, the cell, and what to do.
    """


class NoBarsError(BarsError):
    """A file is empty, or has a header and nothing below it."""
