"""`agent-memory`: subcommands, and one line for whatever is expected to go wrong.

Packages on top of this one add subcommands of their own by entry points of the group `agent_memory.commands`.

0    done, and nothing was found
1    done, and there are findings
2    not done: an option is unusable, or a store did not answer
130  interrupted
"""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

import typer

from agent_memory.cli.cost import cost
from agent_memory.cli.night import night
from agent_memory.cli.policy import policy
from agent_memory.cli.verify import verify
from agent_memory.cli.whole import export, forget
from agent_memory.core.errors import AgentMemoryError

FAILED = 2
INTERRUPTED = 130
COMMANDS = "agent_memory.commands"

app = typer.Typer(add_completion=False, rich_markup_mode=None)
for _command in (verify, night, export, forget, policy, cost):
    app.command()(_command)
for _point in sorted(entry_points(group=COMMANDS), key=lambda point: point.name):
    app.command(_point.name)(_point.load())


@app.callback(invoke_without_command=True)
def agent_memory(context: typer.Context) -> None:
    """Tools for the data of Agent Memory.

    Tables and bucket are found by AGENT_MEMORY_TABLE_PREFIX, AGENT_MEMORY_ARCHIVE_BUCKET and the usual AWS settings.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default the process's own. Returns the exit code."""
    given = None if arguments is None else list(arguments)
    try:
        code = typer.main.get_command(app).main(given, prog_name="agent-memory", standalone_mode=False) or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        return _failed(error.format_message())
    except AgentMemoryError as error:
        return _failed(str(error))
    if code == INTERRUPTED:
        typer.echo("agent-memory: interrupted", err=True)
    return int(code)


def _failed(why: str) -> int:
    typer.echo(f"agent-memory: {' '.join(why.split())}", err=True)
    return FAILED


def run() -> None:
    """The entry point of the installed command."""
    sys.exit(main())
