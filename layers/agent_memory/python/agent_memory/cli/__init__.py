"""The command `agent-memory`; `app` puts the subcommands together."""

import os
import sys
from collections.abc import Sequence

from agent_memory.core.extras import MissingExtra, needs_extra

FAILED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process. Returns the exit code."""
    try:
        with needs_extra("cli"):
            from agent_memory.cli import app  # noqa: PLC0415  needs third-party packages
        return app.main(arguments)
    except MissingExtra as error:
        sys.stderr.write(f"agent-memory: {error}\n")
        return FAILED
    except KeyboardInterrupt:  # while packages are imported, which takes seconds
        sys.stderr.write("agent-memory: interrupted\n")
        return INTERRUPTED


def run() -> None:
    """The entry point of the installed command.

    NumPy works in one thread unless the environment says otherwise: to its threads the matrices of a nightly job are
    too small, so that they spend thirty times the processor's time on waiting for each other.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
