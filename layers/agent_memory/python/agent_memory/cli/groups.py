"""Groups of options: a parameter of a command that is a dataclass stands for the options of its fields.

Options that several commands share are declared once, as the fields of such a dataclass.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, TypeVar, get_type_hints

import typer

from agent_memory.cli.environment import environment
from agent_memory.cli.options import AwsOptions
from agent_memory.cli.output import Output
from agent_memory.cli.progress import shown_progress

_CONTEXT = "typer_context"

Command = TypeVar("Command", bound=Callable[..., Any])


class Commands(typer.Typer):
    """Commands whose parameters may be groups of options."""

    def __init__(self, help: str | None = None, **settings: Any) -> None:  # noqa: A002  Typer's name
        super().__init__(help=help, rich_markup_mode=None, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Command], Command]:
        """Register a command; see `typer.Typer.command`."""
        register = super().command(name, **settings)

        def decorate(command: Command) -> Command:
            register(with_groups(command))
            return command

        return decorate


def with_groups(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with an option for each field of its groups, which are put together for each call.

    The AWS settings among them hold until its context ends, which for a group of commands is that of its subcommand.
    Progress is shown where a command has an `Output`.
    """
    hints = get_type_hints(command, include_extras=True)
    own = next((name for name, kind in hints.items() if kind is typer.Context), None)
    parameters = [inspect.Parameter(own or _CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    groups: dict[str, Any] = {}
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind):
            groups[parameter.name] = kind
            parameters.extend(_options(kind))
        elif parameter.name != own:
            parameters.append(parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**values: Any) -> Any:
        context = values[own] if own else values.pop(_CONTEXT)
        for name, kind in groups.items():
            group = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            if isinstance(group, AwsOptions):
                context.with_resource(environment(group.variables()))
            if isinstance(group, Output):
                context.with_resource(shown_progress())
            values[name] = group
        return command(**values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions have any attribute
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]
