"""The synthesized stacks: runs the CDK app and reads the templates that it writes."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.environment import ACCOUNT, REGION
from local.errors import LocalCloudError
from local.node import Node
from local.processes import Tools


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of the assembly.

    Attributes:
        name: its physical name.
        template: its template.
        region: where the settings name one.
        account: where the settings name one.
        after: the names of the stacks that are deployed first.
    """

    name: str
    template: dict[str, Any]
    region: str | None = None
    after: frozenset[str] = frozenset()
    account: str | None = None

    @property
    def types(self) -> frozenset[str]:
        """The types of its resources."""
        return frozenset(resource["Type"] for resource in self.template.get("Resources", {}).values())

    def resources(self, resource_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical id and properties of every resource of this type."""
        for logical_id, resource in self.template.get("Resources", {}).items():
            if resource["Type"] == resource_type:
                yield logical_id, resource.get("Properties", {})


@dataclass(frozen=True, slots=True)
class Assembly:
    """A folder as `cdk synth` writes it."""

    folder: Path

    def stacks(self) -> list[Stack]:
        """Every stack, including those of nested stages."""
        return [
            Stack(
                artifact["properties"].get("stackName", name),
                json.loads((manifest.parent / artifact["properties"]["templateFile"]).read_text(encoding="utf-8")),
                _region(artifact["environment"]),
                frozenset(one for one in artifact.get("dependencies", []) if not one.endswith(".assets")),
                _account(artifact["environment"]),
            )
            for manifest in sorted(self.folder.rglob("manifest.json"))
            for name, artifact in json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}).items()
            if artifact["type"] == "aws:cloudformation:stack"
        ]

    def digest(self) -> str:
        """A hash that changes exactly when a template or an asset does: assets are named by their content."""
        digest = hashlib.sha256()
        for pattern in ("*.template.json", "*.assets.json"):
            for file in sorted(self.folder.rglob(pattern)):
                digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
        return digest.hexdigest()


def synthesize(
    tools: Tools,
    app: Path,
    folder: Path,
    *,
    context: Mapping[str, str],
    node: Node,
    log: Path,
    account: str = ACCOUNT,
) -> Assembly:
    """Run the CDK app with the context of cdk.json and this one, and return the assembly that it writes.

    The app is run directly, as `cdk synth` would do: the command line would start Node a second time.

    Raises:
        LocalCloudError: the app fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    environment |= {
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(_project_context(app.parent) | dict(context)),
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": REGION,
        "JSII_NODE": str(node.executable),
    }
    try:
        tools.run([sys.executable, str(app)], environment=environment, directory=app.parent, log=log)
    except subprocess.CalledProcessError as error:
        lines = [line for line in str(error.output).splitlines() if line.strip()]
        raise LocalCloudError(f"{app.name} failed: {lines[-1] if lines else error} (log: {log})") from error
    return Assembly(folder)


def _region(environment: str) -> str | None:
    """The region in `aws://ACCOUNT/REGION`; None where it is that of the credentials."""
    region = environment.rsplit("/", 1)[1]
    return None if region == "unknown-region" else region


def _account(environment: str) -> str | None:
    """The account in `aws://ACCOUNT/REGION`; None where it is that of the credentials."""
    account = environment.rsplit("/", 2)[1]
    return None if account == "unknown-account" else account


def _project_context(root: Path) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for name, key in (("cdk.json", "context"), ("cdk.context.json", None)):
        file = root / name
        if file.exists():
            content = json.loads(file.read_text(encoding="utf-8"))
            context |= content.get(key, {}) if key else content
    return context
