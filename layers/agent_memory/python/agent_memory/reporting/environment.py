"""The environment of templates: every value is escaped, and a name that has no value is an error."""

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def new_environment(package: str, folder: str, filters: Iterable[Callable[..., Any]]) -> Environment:
    """The environment of the templates in a folder of a package, with filters under the functions' names."""
    found = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters |= {one.__name__: one for one in filters}
    return found
