"""`python -m tests.design_promises.page docs/promises.md`: write the page of promises from the tests of this package.

The tests are read, not imported: their docstrings are the promises, in the order of the modules.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.design_promises.differences import DIFFERENCES

FOLDER = Path(__file__).parent
_TITLE = re.compile(r"^(?P<number>\d+(\.[0-9A-Z]+)*)\.? (?P<title>.+)$")

_HEAD = """# What it does, promise by promise

Written by `make promises` from the tests in [tests/design_promises](../tests/design_promises). They try each promise of
the product's design as an agent would: against the stacks deployed into the local cloud, or against the templates for
AWS where the local cloud cannot show it. Sections and numbers are those of the design. A promise is on this page only
if it has a test; what was built differently on purpose is in [the last section](#what-differs-from-the-design).

To run them: `make test TEST_ARGS=tests/design_promises`.
"""

_DIFFERENCES = """## What differs from the design

| section | the design | the product | why |
| --- | --- | --- | --- |
"""


@dataclass
class Subsection:
    """A subsection of the design, with the promises of its tests."""

    number: str
    title: str
    promises: list[str] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        """How the names of its tests begin."""
        return f"test_{self.number.lower().replace('.', '_')}_"


@dataclass(frozen=True)
class Section:
    """A section of the design and the module of its tests."""

    number: str
    title: str
    module: str
    subsections: list[Subsection]


def sections() -> list[Section]:
    """Every section, in order.

    Raises:
        ValueError: a module has no title, or a test has no subsection or no docstring.
    """
    return [_section(file) for file in sorted(FOLDER.glob("test_section_*.py"))]


def promises_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD, *(_shown(section) for section in sections()), _differences()]
    return "\n".join(parts)


def _section(file: Path) -> Section:
    module = ast.parse(file.read_text(encoding="utf-8"))
    (number, title), *rest = _titles(ast.get_docstring(module) or "", file)
    section = Section(number, title, file.name, [Subsection(*one) for one in rest])
    for test in _tests(module):
        promise = ast.get_docstring(test)
        matching = [one for one in section.subsections if test.name.startswith(one.prefix)]
        if not promise or not matching:
            raise ValueError(f"{file.name}: {test.name} has no docstring, or the number of no subsection")
        max(matching, key=lambda one: len(one.prefix)).promises.append(" ".join(promise.split()))
    return section


def _titles(docstring: str, file: Path) -> Iterator[tuple[str, str]]:
    """The numbers and titles that a module's docstring lists, the section's own first."""
    for line in docstring.splitlines():
        if line:
            found = _TITLE.match(line)
            if found is None:
                raise ValueError(f"{file.name}: {line!r} has no number")
            yield found["number"], found["title"]


def _tests(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def _shown(section: Section) -> str:
    lines = [
        f"## {section.number}. {section.title}",
        "",
        f"[{section.module}](../tests/design_promises/{section.module})",
        "",
    ]
    for one in section.subsections:
        lines += [f"### {one.number} {one.title}", "", *(f"- {promise}" for promise in one.promises), ""]
    return "\n".join(lines)


def _differences() -> str:
    rows = [f"| {one.section} | {one.designed} | {one.built} | [{one.title}]({one.argued_in}) |" for one in DIFFERENCES]
    return _DIFFERENCES + "\n".join(rows) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(promises_page(), encoding="utf-8")
