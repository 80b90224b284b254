"""The command `agent-memory`: its subcommands, and one line on stderr for every expected error.

Other packages add subcommands by entry points of the group `agent_memory.commands`.

Exit codes:

0    done, without findings
1    done, with findings
2    not done: an option is invalid, or a store did not respond
130  interrupted
"""

from collections.abc import Sequence
from importlib.metadata import entry_points

import typer

from agent_memory.cli import FAILED
from agent_memory.cli.agent_data import export, forget, import_agent
from agent_memory.cli.cost import cost
from agent_memory.cli.decisions import decisions
from agent_memory.cli.doctor.command import doctor
from agent_memory.cli.learning import learning
from agent_memory.cli.memories import memories
from agent_memory.cli.nightly import nightly
from agent_memory.cli.policy import policy
from agent_memory.cli.restore import restore
from agent_memory.cli.verify import verify
from agent_memory.core.errors import AgentMemoryError

INTERRUPTED = 130
COMMANDS = "agent_memory.commands"

app = typer.Typer(add_completion=False, rich_markup_mode=None)
for _command in (doctor, verify, nightly, export, forget, restore, policy, cost):
    app.command()(_command)
app.add_typer(memories, name="memories")
app.add_typer(decisions, name="decisions")
app.add_typer(learning, name="learning")
app.command("import")(import_agent)
app.command("night", hidden=True)(nightly)  # its name in earlier versions
for _point in sorted(entry_points(group=COMMANDS), key=lambda point: point.name):
    app.command(_point.name)(_point.load())


@app.callback(invoke_without_command=True)
def agent_memory(context: typer.Context) -> None:
    """Tools for the data of Agent Memory.

    AGENT_MEMORY_TABLE_PREFIX, AGENT_MEMORY_ARCHIVE_BUCKET and the AWS settings determine tables and bucket.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process. Returns the exit code."""
    args = None if arguments is None else list(arguments)
    try:
        code = typer.main.get_command(app).main(args, prog_name="agent-memory", standalone_mode=False) or 0
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


def _failed(message: str) -> int:
    typer.echo(f"agent-memory: {' '.join(message.split())}", err=True)
    return FAILED
