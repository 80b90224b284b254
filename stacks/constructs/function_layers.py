"""The Lambda layers of a function: its part of the package `agent_memory`, and its groups of third-party wheels."""

from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import PROJECT
from stacks.config import DeployConfig
from stacks.constructs.wheels import WheelTarget, build_wheels, fingerprint
from stacks.function_contents import CONTENTS

WHEEL_CACHE = PROJECT / ".build" / "wheels"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


def function_layers(
    scope: Construct, construct_id: str, *, name: str, config: DeployConfig
) -> list[lambda_.LayerVersion]:
    """Create the layers of the function `lambdas/{name}`; functions of one stack share the layers of wheels.

    Stacks do not share layers: the ARN of a layer version changes with its content, and a stack that took it from
    another stack would not see the change.
    """
    contents = CONTENTS[name]
    own = _layer(scope, construct_id, _package(contents.packages), f"agent_memory for the function {name}", config)
    if config.is_local and config.emulator_python is None:
        return [own]  # functions see the packages of the emulator's own environment, pinned by the same locks
    return [own, *(_wheels(cdk.Stack.of(scope), group, config) for group in contents.wheels)]


def lock_file(group: str) -> Path:
    """The lock file of a group of wheels."""
    return PROJECT / "layers" / group / "requirements.txt"


def wheel_target(config: DeployConfig) -> WheelTarget:
    """Interpreter and processor of a deployment's functions."""
    return WheelTarget(config.python_version, _MACHINES[config.architecture])


def runtime(config: DeployConfig) -> lambda_.Runtime:
    """Lambda runtime of a deployment's functions."""
    return lambda_.Runtime(f"python{config.python_version}", lambda_.RuntimeFamily.PYTHON)


def architecture(config: DeployConfig) -> lambda_.Architecture:
    """Processor of a deployment's functions."""
    return lambda_.Architecture.ARM_64 if config.architecture == "arm64" else lambda_.Architecture.X86_64


def _wheels(stack: cdk.Stack, group: str, config: DeployConfig) -> lambda_.LayerVersion:
    """The layer of a group of wheels: created for the first function of a stack that holds it."""
    construct_id = f"{group.capitalize()}Wheels"
    existing = stack.node.try_find_child(construct_id)
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    return _layer(stack, construct_id, _wheel_code(stack, group, config), f"Third-party wheels: {group}", config)


def _wheel_code(stack: cdk.Stack, group: str, config: DeployConfig) -> lambda_.Code:
    lock = lock_file(group)
    if not stack.bundling_required:  # `cdk list` and tests of templates need no content
        return lambda_.Code.from_asset(str(lock.parent))
    target = wheel_target(config)
    return lambda_.Code.from_asset(
        str(build_wheels(lock, target, WHEEL_CACHE)),
        asset_hash=fingerprint(lock.read_text(), target),
        asset_hash_type=cdk.AssetHashType.CUSTOM,
    )


def _package(packages: Sequence[str]) -> lambda_.Code:
    """The folder `python/agent_memory`, with its own files and these sub-packages only.

    The patterns are those of a .gitignore file: exclude everything, then include again what is kept.
    """
    kept = ("/python", "/python/agent_memory", *(f"/python/agent_memory/{name}" for name in ("*.*", *packages)))
    return lambda_.Code.from_asset(
        str(PROJECT / "layers" / "agent_memory"),
        exclude=[
            "/*",
            "/python/*",
            "/python/agent_memory/*",
            *(f"!{pattern}" for pattern in kept),
            "__pycache__",
        ],
        ignore_mode=cdk.IgnoreMode.GIT,
    )


def _layer(
    scope: Construct, construct_id: str, code: lambda_.Code, description: str, config: DeployConfig
) -> lambda_.LayerVersion:
    return lambda_.LayerVersion(
        scope,
        construct_id,
        code=code,
        description=description,
        compatible_runtimes=[runtime(config)],
        compatible_architectures=[architecture(config)],
    )
