"""`python docs/api_reference FOLDER`: write the reference of the public interface as HTML, with pdoc."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pdoc

import agent_memory

PACKAGES = ("agent_memory", "trading_agents")


def write_reference(folder: Path) -> None:
    """Write a page for each package, with what its `__all__` names, and an index."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for exported in package.__all__:  # pdoc reads the module's dictionary, which lacks what is loaded on demand
            vars(package)[exported] = getattr(package, exported)
    pdoc.render.configure(docformat="google", show_source=False, footer_text=f"Version {agent_memory.__version__}")
    pdoc.doc.Class.own_members = property(_members)  # type: ignore[assignment]  # pdoc has no setting for it
    submodules = [f"!{name}\\." for name in PACKAGES]
    pdoc.pdoc(*PACKAGES, *submodules, output_directory=folder)


def _members(documented: pdoc.doc.Class) -> list[pdoc.doc.Doc[Any]]:
    """Members of a class to document in full: its own, and those that it inherits from classes of these packages.

    pdoc documents inherited members where they are defined, which is in modules that are not public.
    """
    return [one for one in documented.members.values() if one.taken_from[0].partition(".")[0] in PACKAGES]


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
