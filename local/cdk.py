"""`python -m local.cdk …`: run the pinned CDK command line, for deploying to AWS."""

import os
import sys
import tempfile
from pathlib import Path

from local.errors import LocalCloudError
from local.layout import ROOT
from local.node import ensure_cdk, find_node
from local.processes import Tools


def main(arguments: list[str]) -> None:
    """Replace this process by the CDK command line, in the project's folder and with the caller's AWS settings."""
    try:
        node = find_node()
        with tempfile.TemporaryDirectory() as folder:
            script = ensure_cdk(Tools(), node, ROOT, Path(folder, "npm.log"))
    except LocalCloudError as error:
        sys.exit(f"Error: {error}")
    os.chdir(ROOT)
    environment = os.environ | {"JSII_NODE": str(node.executable)}
    os.execve(node.executable, [str(node.executable), str(script), *arguments], environment)  # noqa: S606  replacing this process is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
