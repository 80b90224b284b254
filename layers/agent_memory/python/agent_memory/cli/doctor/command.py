"""`agent-memory doctor`: look at a deployment, and say what is wrong and which page mends it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from agent_memory.cli.doctor.deployment import Deployment
from agent_memory.cli.doctor.examination import examine, exit_code
from agent_memory.cli.doctor.findings import Finding, State
from agent_memory.cli.doctor.session import aws_session
from agent_memory.cli.options import AwsOptions
from agent_memory.cli.output import Output
from agent_memory.storage.factory import DEFAULT_PREFIX, open_stores

_MARKS = {
    State.FINE: "ok",
    State.NOTE: "note",
    State.WRONG: "WRONG",
    State.NOT_ALLOWED: "not seen",
    State.NO_ANSWER: "not seen",
    State.NOT_OFFERED: "local",
}


def doctor(
    *,
    prefix: Annotated[
        str,
        typer.Option(
            metavar="NAME", envvar="AGENT_MEMORY_TABLE_PREFIX", help="The deployment's prefix, as of its stacks."
        ),
    ] = DEFAULT_PREFIX,
    api_url: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="API_URL", show_default="that of the stack", help="The API's address."),
    ] = None,
    templates: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Templates of `make synth` to compare with.",
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also list what is fine.")] = False,
    aws: AwsOptions,  # noqa: ARG001  holds for the process
    output: Output,
) -> int:
    """Look at a deployment with your credentials, and say what is wrong and which page mends it. Nothing is changed.

    Exit code: 0 nothing is wrong, 1 something is, 2 something could not be looked at and nothing else is wrong.
    """
    findings = list(
        examine(
            Deployment(aws_session(), prefix),
            lambda table_prefix: open_stores(table_prefix=table_prefix),
            api_url=api_url,
            templates=templates,
        )
    )
    code = exit_code(findings)
    value = {"exit_code": code, "findings": [one.as_dict() for one in findings]}
    output.show(value, _lines(findings, show_fine=all_))
    return code


def _lines(findings: Sequence[Finding], *, show_fine: bool) -> Iterator[str]:
    for one in findings:
        if one.state is not State.FINE or show_fine:
            page = f"  [{one.page}]" if one.page else ""
            yield f"{_MARKS[one.state]:<9}{one.check}, {one.subject}: {one.message}{page}"
    counts = {state: sum(1 for one in findings if one.state is state) for state in State}
    unseen = counts[State.NOT_ALLOWED] + counts[State.NO_ANSWER]
    yield (
        f"{counts[State.FINE]:,} checks are fine, {counts[State.WRONG]:,} found something wrong, "
        f"{unseen:,} could not look"
    )
