"""What can go wrong with the local cloud, each told in one line that says what to do."""


class LocalCloudError(Exception):
    """The local cloud cannot do what was asked; the text is one line for the person at the terminal."""

    exit_code = 1


class PortTakenError(LocalCloudError):
    """Somebody else listens on the port that was asked for."""

    exit_code = 2


class ToolMissingError(LocalCloudError):
    """A program that the local cloud needs is neither on the PATH nor in the virtual environment."""

    exit_code = 2
