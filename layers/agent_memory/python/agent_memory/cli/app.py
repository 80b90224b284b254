"""The command `agent-memory`: its subcommands, and one line on stderr for every expected error.

Other packages add subcommands by entry points of the group `agent_memory.commands`.

Exit codes:

0    done, without findings
1    done, with findings
2    not done: an option is invalid, or a store did not respond
130  interrupted
"""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from agent_memory import __version__
from agent_memory.cli import FAILED, INTERRUPTED
from agent_memory.cli import exclusions as _exclusions  # noqa: F401  adds commands to `decisions`
from agent_memory.cli import memory_versions as _memory_versions  # noqa: F401  adds commands to `memory`
from agent_memory.cli import quarantines as _quarantines  # noqa: F401  adds commands to `memory`
from agent_memory.cli.advise import advise
from agent_memory.cli.agent_data import export, forget, import_agent
from agent_memory.cli.archive import archive
from agent_memory.cli.console.command import ui
from agent_memory.cli.cost import cost
from agent_memory.cli.crowding import crowding
from agent_memory.cli.decisions import decisions
from agent_memory.cli.doctor.command import doctor
from agent_memory.cli.experiments import experiments
from agent_memory.cli.groups import Commands, with_groups
from agent_memory.cli.learning import learning
from agent_memory.cli.mcp_server.command import mcp
from agent_memory.cli.memory import memory
from agent_memory.cli.nightly import nightly
from agent_memory.cli.options import StoreOptions
from agent_memory.cli.output import printable
from agent_memory.cli.patterns import patterns
from agent_memory.cli.policy import policy
from agent_memory.cli.push import push
from agent_memory.cli.report import report
from agent_memory.cli.restore import restore
from agent_memory.cli.verify import verify
from agent_memory.core.errors import AgentMemoryError, InvalidInput
from agent_memory.core.extras import MissingExtra
from agent_memory.storage.store_urls import WAYS

COMMANDS = "agent_memory.commands"

app = Commands(name="agent-memory", add_completion=True)


def add_command_of(point: EntryPoint, to: typer.Typer) -> None:
    """Add the command of another package; where its extra is missing, a command that names the extra."""
    try:
        command = point.load()
    except MissingExtra as error:
        _add_unavailable(point.name, str(error), to)
        return
    if isinstance(command, typer.Typer):
        to.add_typer(command, name=point.name)
    else:
        to.command(point.name)(command)


def _add_unavailable(name: str, problem: str, to: typer.Typer) -> None:
    @to.command(
        name,
        help=f"Not available: {problem}",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    )
    def command() -> int:
        raise MissingExtra(problem)


for _command in (doctor, report, export, forget, policy, cost, experiments, crowding, advise, push, mcp, ui):
    app.command()(_command)
app.command("import")(import_agent)
app.add_typer(decisions, name="decisions")
app.add_typer(memory, name="memory")
app.add_typer(patterns, name="patterns")
app.add_typer(learning, name="learning")
app.add_typer(archive, name="archive")
app.add_typer(nightly, name="nightly")
# Names of earlier versions, which continue to work.
app.command(hidden=True)(verify)
app.command(hidden=True)(restore)
app.add_typer(memory, name="memories", hidden=True)
app.add_typer(nightly, name="night", hidden=True)
for _point in sorted(entry_points(group=COMMANDS), key=lambda point: point.name):
    add_command_of(_point, app)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"agent-memory {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@with_groups
def agent_memory(
    context: typer.Context,
    *,
    where: StoreOptions,  # noqa: ARG001  holds for the command
    version: Annotated[  # noqa: ARG001  its callback prints it
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """Tools for the data of Agent Memory.

    --store or AGENT_MEMORY_URL name a file or a deployment; without them, AGENT_MEMORY_TABLE_PREFIX,
    AGENT_MEMORY_ARCHIVE_BUCKET and the AWS settings determine tables and bucket. These options may be written before
    the command or after it.

    Exit codes: 0 done, 1 done with findings, 2 not done, 130 interrupted.
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
    except InvalidInput as error:
        return _failed(str(error), is_list=error.message == WAYS)
    except AgentMemoryError as error:
        return _failed(str(error))
    except OSError as error:  # of the output, as on a full disk; those of stores are errors of this package
        return _failed(f"{error.filename or 'the output'}: {error.strerror or error}")
    if code == INTERRUPTED:
        typer.echo("agent-memory: interrupted", err=True)
    return int(code)


def _failed(message: str, *, is_list: bool = False) -> int:
    typer.echo(printable(f"agent-memory: {message if is_list else ' '.join(message.split())}"), err=True)
    return FAILED
