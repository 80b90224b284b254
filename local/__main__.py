"""`python -m local up|down|status|reset`: control a local cloud that runs in the background.

Where `AWS_ENDPOINT_URL`, or one of the variables of LocalStack's clients, names an emulator that something else
started, the stacks are deployed into that one.
"""

import os
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from local.addresses import Addresses
from local.cloud import LocalCloud
from local.endpoints import Endpoint, requested_endpoint
from local.environment import ACCOUNT
from local.errors import EndpointError, LocalCloudError
from local.layout import Layout
from local.running_emulator import RunningEmulator

cli = typer.Typer(add_completion=False, no_args_is_help=True, help="Run the stacks in an AWS emulator on this machine.")
# Messages go to stderr, so that `eval "$(make -s local-up)"` sets the variables of the shell.
console = Console(stderr=True, highlight=False)

State = Annotated[Path | None, typer.Option(help="State folder; by default .local/state in the project.")]


@cli.command()
def up(
    state: State = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the AWS endpoint; by default the last one, or a free one.")
    ] = None,
    redis_port: Annotated[
        int | None, typer.Option(help="Port of the cache; by default the last one, or a free one.")
    ] = None,
    cache_tls: Annotated[
        bool, typer.Option("--cache-tls", help="Start the cache with TLS and users, as in AWS.")
    ] = False,
) -> None:
    """Start the emulator and the cache, deploy the stacks, and leave both running.

    With AWS_ENDPOINT_URL, or LOCALSTACK_HOST and EDGE_PORT, deploy into the emulator that already runs there.
    """
    if endpoint := _other_emulator(state):
        for option, is_set in (("--port", port is not None), ("--cache-tls", cache_tls)):
            if is_set:
                raise EndpointError(f"{option}: an emulator already runs at {endpoint.url} ({endpoint.variable})")
        emulator = _emulator(endpoint, state)
        emulator.up(redis_port=redis_port)
        for line in emulator.lacks:
            console.print(f"[yellow]![/yellow] {escape(line)}", soft_wrap=True)
        _describe(emulator)
        return
    cloud = LocalCloud(
        _layout(state), port=port, redis_port=redis_port, cache_tls=cache_tls, detached=True, on_step=_print_step
    )
    cloud.up()
    cloud.stop()  # both run detached and go on: this only releases the state folder
    _describe(cloud)


@cli.command()
def down(state: State = None) -> None:
    """Stop the emulator and the cache; the state stays for the next start.

    An emulator that something else started goes on.
    """
    if endpoint := _other_emulator(state):
        stopped = _emulator(endpoint, state).down()
        _print_step("Stopped the cache" if stopped else "No cache is running")
        _print_step(f"The emulator at {endpoint.url} was not started here: it goes on, with what is deployed into it")
        return
    stopped = LocalCloud(_layout(state)).down()
    _print_step("Stopped; its state is kept" if stopped else "The local cloud is not running")


@cli.command()
def status(state: State = None) -> None:
    """Print the addresses of the running local cloud; exit code 3 if it is not running."""
    if endpoint := _other_emulator(state):
        emulator = _emulator(endpoint, state)
        if not emulator.responds():
            _print_step(f"No emulator answers at {endpoint.url} ({endpoint.variable})")
            raise typer.Exit(3)
        _describe(emulator)
        return
    cloud = LocalCloud(_layout(state))
    if not cloud.running:
        _print_step("The local cloud is not running")
        raise typer.Exit(3)
    cloud.read_outputs()
    _describe(cloud)


@cli.command()
def reset(
    state: State = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Stop the local cloud and delete its state."""
    if endpoint := _other_emulator(state):
        raise EndpointError(
            f"the emulator at {endpoint.url} was not started here: reset it where it was started, or unset "
            f"{endpoint.variable} to reset the local cloud"
        )
    layout = _layout(state)
    if not yes:
        typer.confirm(f"Delete every table and object in {layout.state}?", abort=True)
    LocalCloud(layout).reset()
    _print_step("Deleted")


def main() -> None:
    """Run the command; expected errors are printed in one line, without a stack trace."""
    try:
        cli()
    except LocalCloudError as error:
        console.print(f"[red]Error:[/red] {error}", soft_wrap=True)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _layout(state: Path | None) -> Layout:
    return Layout(state=state.resolve()) if state else Layout()


def _other_emulator(state: Path | None) -> Endpoint | None:
    """The emulator that the environment names, unless it is the one of this state folder."""
    endpoint = requested_endpoint(os.environ)
    own_port = _layout(state).remembered().get("port")
    return None if endpoint is None or endpoint.is_port_of_this_machine(own_port) else endpoint


def _emulator(endpoint: Endpoint, state: Path | None) -> RunningEmulator:
    key = os.environ.get("AWS_ACCESS_KEY_ID", "")
    account = key if re.fullmatch(r"[0-9]{12}", key) else ACCOUNT  # by such a key emulators tell accounts
    return RunningEmulator(endpoint, _layout(state) if state else None, account=account, on_step=_print_step)


def _print_step(step: str) -> None:
    console.print(f"[cyan]·[/cyan] {step}", soft_wrap=True)


def _describe(cloud: Addresses) -> None:
    console.print(f"\n[bold]AWS endpoint[/bold]  {cloud.endpoint_url}", soft_wrap=True)
    if "ApiId" in cloud.outputs:
        console.print(f"[bold]HTTP API[/bold]      {cloud.api_url}", soft_wrap=True)
    console.print(f"[bold]Cache[/bold]         {cloud.redis_endpoint}\n", soft_wrap=True)
    print("unset AWS_PROFILE AWS_SESSION_TOKEN")
    for name, value in cloud.environment().items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
