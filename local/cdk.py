"""`python -m local.cdk …`: the pinned CDK command line on whatever Node there is, for deploying to AWS."""

import os
import sys
import tempfile
from pathlib import Path

from local.errors import LocalCloudError
from local.layout import ROOT
from local.node import ensure_cdk, find_node
from local.processes import Tools


def main(arguments: list[str]) -> None:
    """Become the CDK command line, in the project's folder, with the caller's own AWS settings."""
    try:
        node = find_node()
        with tempfile.TemporaryDirectory() as folder:
            script = ensure_cdk(Tools(), node, ROOT, Path(folder, "npm.log"))
    except LocalCloudError as error:
        sys.exit(f"Error: {error}")
    os.chdir(ROOT)
    environment = os.environ | {"JSII_NODE": str(node.executable)}
    os.execve(node.executable, [str(node.executable), str(script), *arguments], environment)  # noqa: S606  that is its job


if __name__ == "__main__":
    main(sys.argv[1:])
