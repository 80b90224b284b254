"""Errors of the local cloud; each message is one line that says what to do."""


class LocalCloudError(Exception):
    """The local cloud cannot do what it was asked for; the message is one line for the terminal."""

    exit_code = 1


class PortTakenError(LocalCloudError):
    """The requested port is in use by another program."""

    exit_code = 2


class ToolMissingError(LocalCloudError):
    """A required program is neither on the PATH nor in the virtual environment."""

    exit_code = 2


class EndpointError(LocalCloudError):
    """The endpoint that the environment names cannot be used."""

    exit_code = 2
