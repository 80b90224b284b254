"""`python -m local.cdk …`: run the pinned CDK command line, for deploying to AWS.

After a deployment that succeeded, the tables and their stack are protected from deletion (`local.protection`). After
one that failed or was only prepared, a stack that was protected before is protected again: CDK switches that off.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local.errors import LocalCloudError
from local.layout import ROOT
from local.node import ensure_cdk, find_node
from local.processes import Tools
from local.protection import OUTPUT, protect_assembly


def main(arguments: list[str]) -> None:
    """Run the CDK command line in the project's folder and with the caller's AWS settings, and exit as it does."""
    try:
        node = find_node()
        with tempfile.TemporaryDirectory() as folder:
            script = ensure_cdk(Tools(), node, ROOT, Path(folder, "npm.log"))
    except LocalCloudError as error:
        sys.exit(f"Error: {error}")
    os.chdir(ROOT)
    environment = os.environ | {"JSII_NODE": str(node.executable)}
    command = [str(node.executable), str(script), *arguments]
    if not _deploys(arguments):
        os.execve(node.executable, command, environment)  # noqa: S606  replacing this process is the purpose
    code = _run(command, environment)
    options = _options(arguments)
    protect_assembly(_assembly(options), profile=options.profile, only_again=code != 0 or not _executes(options))
    sys.exit(code)


def _deploys(arguments: list[str]) -> bool:
    """Whether these arguments may change the protection of deployed stacks."""
    return "deploy" in arguments


def _executes(options: argparse.Namespace) -> bool:
    """Whether a deployment is more than a change set to look at."""
    return bool(options.execute) and options.method != "prepare-change-set"


def _options(arguments: list[str]) -> argparse.Namespace:
    """The options of the command line on which the protection depends."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--app", "-a")
    parser.add_argument("--output", "-o")
    parser.add_argument("--profile")
    parser.add_argument("--method", "-m")
    parser.add_argument("--no-execute", dest="execute", action="store_false")
    return parser.parse_known_args(arguments)[0]


def _assembly(options: argparse.Namespace) -> Path:
    """The folder with the stacks that were deployed."""
    if options.app and Path(options.app).is_dir():
        return Path(options.app)
    return Path(options.output) if options.output else OUTPUT


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command on this terminal and return its exit code; it decides itself what an interrupt means."""
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603  what the caller wants to run
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


if __name__ == "__main__":
    main(sys.argv[1:])
