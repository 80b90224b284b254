"""Errors of the demo; the text is one line that says what to do."""


class DemoError(Exception):
    """The demo cannot continue; the text is one line for the person at the terminal."""


class BarsError(DemoError):
    """The bars cannot be used; names the file and, if there is one, the line and the column."""


class CannotContinueError(DemoError):
    """The earlier replay cannot be continued, but another one can be started."""
