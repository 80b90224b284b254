"""Runs an example as a user does, in this process."""

import runpy
import sys
from pathlib import Path
from unittest import mock

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_example(name, *arguments, run_name="__main__"):
    """Run `examples/NAME.py` with arguments; with another `run_name`, only its definitions. Returns its names."""
    with mock.patch.object(sys, "argv", [name, *arguments]):
        return runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name=run_name)
