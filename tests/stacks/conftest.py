"""Templates of both profiles, synthesised once a session and without third-party wheels."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks import PROJECT  # chooses a Node.js, which has to happen before aws_cdk is imported

import aws_cdk as cdk  # isort: skip

from stacks.application import Stacks, add_stacks
from stacks.config import DeployConfig
from tests.stacks.templates import Template

_NO_WHEELS = {"aws:cdk:bundling-stacks": []}


@dataclass(frozen=True)
class Synthesized:
    """An app, its stacks and their templates by the name that follows the prefix."""

    app: cdk.App
    folder: Path
    stacks: Stacks
    templates: dict[str, Template]

    def __getitem__(self, name: str) -> Template:
        return self.templates[name]


def build(folder: Path, **context: str) -> tuple[cdk.App, Stacks]:
    """An app with its stacks, as `build_app` makes it from the command line's context."""
    settings: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text())["context"]
    app = cdk.App(context={**settings, **_NO_WHEELS, **context}, outdir=str(folder))
    return app, add_stacks(app, DeployConfig.from_context(app.node.get_all_context()))


def synthesize(folder: Path, **context: str) -> Synthesized:
    app, stacks = build(folder, **context)
    app.synth()
    names = ("storage", "cache", "api", "nightly", "query", "operations")
    read = {name: json.loads((folder / f"agent-memory-{name}.template.json").read_text()) for name in names}
    return Synthesized(app, folder, stacks, {name: Template(body) for name, body in read.items()})


@pytest.fixture(scope="session")
def aws(tmp_path_factory) -> Synthesized:
    return synthesize(
        tmp_path_factory.mktemp("aws"),
        account="123456789012",
        region="eu-central-1",
        alarm_email="ops@example.com",
        time_zone="Europe/Berlin",
        dashboard="true",
    )


@pytest.fixture(scope="session")
def local(tmp_path_factory) -> Synthesized:
    return synthesize(
        tmp_path_factory.mktemp("local"), profile="local", redis_endpoint="127.0.0.1:6390", dashboard="true"
    )
