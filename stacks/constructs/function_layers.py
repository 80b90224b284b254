"""The Lambda layers of a function: its part of the package `agent_memory`, and its groups of third-party wheels."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import PROJECT
from stacks.config import DeployConfig
from stacks.constructs.bytecode import can_compile, compile_modules
from stacks.constructs.wheels import WheelTarget, build_wheels, fingerprint, move_into_place
from stacks.function_contents import CONTENTS, LIBRARY, FunctionContents

WHEEL_CACHE = PROJECT / ".build" / "wheels"
PACKAGE_CACHE = PROJECT / ".build" / "packages"
_PACKAGE = PROJECT / "layers" / "agent_memory"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


def function_layers(
    scope: Construct, construct_id: str, *, name: str, config: DeployConfig
) -> list[lambda_.LayerVersion]:
    """Create the layers of the function `lambdas/{name}`; functions of one stack share the layers of wheels.

    Stacks do not share layers: the ARN of a layer version changes with its content, and a stack that took it from
    another stack would not see the change.
    """
    return _layers(scope, construct_id, CONTENTS[name], f"agent_memory for the function {name}", config)


def library_layers(scope: Construct, construct_id: str, *, config: DeployConfig) -> list[lambda_.LayerVersion]:
    """Create the layers of an agent's own function, which uses the stores directly."""
    return _layers(scope, construct_id, LIBRARY, "agent_memory for agents", config)


def _layers(
    scope: Construct, construct_id: str, contents: FunctionContents, description: str, config: DeployConfig
) -> list[lambda_.LayerVersion]:
    own = _layer(
        scope, construct_id, _package_code(cdk.Stack.of(scope), contents.packages, config), description, config
    )
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


def _package_code(stack: cdk.Stack, packages: Sequence[str], config: DeployConfig) -> lambda_.Code:
    """The folder `python/agent_memory`, with its own files and these sub-packages only, and their byte-code.

    The local cloud runs functions on a Python of its own, and gets the modules alone.
    """
    if config.is_local or not stack.bundling_required or not can_compile(config.python_version):
        return lambda_.Code.from_asset(str(_PACKAGE), exclude=_all_but(packages), ignore_mode=cdk.IgnoreMode.GIT)
    built = compiled_package(packages, config.python_version)
    return lambda_.Code.from_asset(str(built), asset_hash=built.name, asset_hash_type=cdk.AssetHashType.CUSTOM)


def compiled_package(packages: Sequence[str], version: str) -> Path:
    """A layer of the package, with its own files and these sub-packages only, and the byte-code of a Python version.

    It is built once for each content, and its name is a hash of that.
    """
    content = cdk.FileSystem.fingerprint(
        str(_PACKAGE), exclude=_all_but(packages), ignore_mode=cdk.IgnoreMode.GIT, extra_hash=version
    )
    built = PACKAGE_CACHE / content
    if not built.is_dir():
        _build_package(packages, built, version)
    return built


def _all_but(packages: Sequence[str]) -> list[str]:
    """The patterns of a .gitignore file that keep these sub-packages: exclude all, then include what is kept."""
    kept = ("/python", "/python/agent_memory", *(f"/python/agent_memory/{name}" for name in ("*.*", *packages)))
    return ["/*", "/python/*", "/python/agent_memory/*", *(f"!{pattern}" for pattern in kept), "__pycache__"]


def _build_package(packages: Sequence[str], built: Path, version: str) -> None:
    source = _PACKAGE / "python" / "agent_memory"
    PACKAGE_CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PACKAGE_CACHE, prefix="building-") as scratch:
        layer = Path(scratch) / "layer"
        package = layer / "python" / source.name
        package.mkdir(parents=True)
        for path in source.iterdir():
            if path.is_file():
                shutil.copy(path, package)
            elif path.name in packages:
                shutil.copytree(path, package / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        compile_modules(layer, version)
        move_into_place(layer, built)


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
