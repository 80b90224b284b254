"""A second opinion on the state machine: npm's `asl-validator`, and JSONata's original implementation.

The local cloud runs the machine with other implementations of both, which forgive some mistakes. npm installs them into
`.build`, once for each change of package-lock.json.
"""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from local.node import find_node
from local.processes import in_turn
from stacks import PROJECT

_HERE = Path(__file__).parent


def _packages():
    """The folder into which npm has installed the packages of the lock file."""
    lock = _HERE / "package-lock.json"
    folder = PROJECT / ".build" / f"states-language-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    with in_turn(folder.with_suffix(".lock")):
        if not (folder / "ready").exists():
            node = find_node()
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_HERE / name, folder)
            path = os.pathsep.join([str(node.executable.parent), os.environ["PATH"]])
            command = [*node.npm, "ci", "--no-audit", "--no-fund", "--no-update-notifier"]
            subprocess.run(command, cwd=folder, env=os.environ | {"PATH": path}, check=True, capture_output=True)
            (folder / "ready").touch()
    return folder


def ask(*, definitions=(), expressions=(), evaluations=()):
    """What the validator says of definitions, and JSONata of expressions; None where nothing is wrong.

    An evaluation is a pair of an expression and its variables; its answer has `result` or `error`.
    """
    asked = {"definitions": definitions, "expressions": expressions, "evaluations": evaluations}
    command = [find_node().executable, _HERE / "check.mjs", _packages()]
    ran = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, cwd=_packages())
    return json.loads(ran.stdout)
