"""Templates of both profiles, synthesized once per session and without third-party wheels."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks import PROJECT  # chooses a Node.js, which has to happen before aws_cdk is imported

import aws_cdk as cdk  # isort: skip

from stacks.application import Stacks, add_stacks
from stacks.config import DeployConfig
from tests.stacks.templates import Template

_IN_AWS = {"account": "123456789012", "region": "eu-central-1", "time_zone": "Europe/Berlin"}

# Deployments whose templates differ: what holds for every deployment is tested on each of these.
DEPLOYMENTS = {
    "prod": {**_IN_AWS, "alarm_email": "ops@example.com", "dashboard": "true"},
    "dev": {**_IN_AWS, "environment": "dev"},
    "dev with a cache": {**_IN_AWS, "environment": "dev", "cache": "on", "cache_nodes": "2"},
    "prod without a cache": {"cache": "off"},
    "own key": {**_IN_AWS, "encryption_key": "own"},
    "all guards": {
        **_IN_AWS,
        "archive_lock_days": "365",
        "monthly_budget_usd": "25",
        "audit_trail": "all",
        "flow_logs": "all",
        "api_concurrency": "50",
        "nightly_concurrency": "5",
        "gateway_agents": "market-hunter,scout.eu",
    },
    "embedder": {**_IN_AWS, "embedder": "bedrock", "gateway_agents": "scout"},
    "audited writes": {**_IN_AWS, "prefix": "desk", "audit_trail": "writes"},
}

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


def build(folder: Path, *, default_region: str | None = None, **context: str) -> tuple[cdk.App, Stacks]:
    """An app with its stacks, as `build_app` makes it from the command line's context and the credentials' region."""
    settings: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text())["context"]
    app = cdk.App(context={**settings, **_NO_WHEELS, **context}, outdir=str(folder))
    config = DeployConfig.from_context(app.node.get_all_context(), default_region=default_region)
    return app, add_stacks(app, config, default_region=default_region)


def synthesize(folder: Path, **context: str) -> Synthesized:
    app, stacks = build(folder, **context)
    app.synth()
    files = folder.glob("*.template.json")
    read = {file.name.split(".")[0].rsplit("-", 1)[1]: json.loads(file.read_text()) for file in files}
    return Synthesized(app, folder, stacks, {name: Template(body) for name, body in read.items()})


@pytest.fixture(scope="session")
def deployments(tmp_path_factory) -> Callable[[str], Synthesized]:
    """Synthesizes a deployment of `DEPLOYMENTS` by its name, once per session."""
    synthesized: dict[str, Synthesized] = {}

    def by_name(name: str) -> Synthesized:
        if name not in synthesized:
            synthesized[name] = synthesize(tmp_path_factory.mktemp("deployment"), **DEPLOYMENTS[name])
        return synthesized[name]

    return by_name


@pytest.fixture(scope="session")
def aws(deployments) -> Synthesized:
    return deployments("prod")


@pytest.fixture(scope="session")
def local(tmp_path_factory) -> Synthesized:
    return synthesize(
        tmp_path_factory.mktemp("local"), profile="local", redis_endpoint="127.0.0.1:6390", dashboard="true"
    )
