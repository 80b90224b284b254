"""What can go wrong in the demo, each told in one line that says what to do."""


class DemoError(Exception):
    """The demo cannot go on; the text is one line for the person at the terminal."""


class BarsError(DemoError):
    """The bars cannot be used; names the file and, where there is one, the line and the column."""
