"""Lambda layers: the product's own package, and third-party wheels."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from stacks import PROJECT
from stacks.config import DeployConfig
from stacks.constructs.wheels import WheelTarget, build_wheels, fingerprint

WHEEL_CACHE = PROJECT / ".build" / "wheels"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


class FunctionLayers(Construct):
    """The layers that one stack's functions share.

    Each stack has layer versions of its own: a version's ARN changes with its content, and a stack that
    took it from another stack would not see the change.

    Attributes:
        base: layers of every function.
        learning: layers of the functions that compute statistics.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, with_science: bool) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        own = self._layer("AgentMemory", _own_package(), "The package agent_memory")
        # The local cloud's functions see the packages of the emulator's own environment, pinned by the same locks.
        wheels = [] if config.is_local else [self._wheels("Dependencies", "dependencies")]
        science = [self._wheels("Science", "science")] if with_science and not config.is_local else []
        self.base: list[lambda_.ILayerVersion] = [own, *wheels]
        self.learning: list[lambda_.ILayerVersion] = [*self.base, *science]

    def _wheels(self, construct_id: str, folder: str) -> lambda_.LayerVersion:
        lock_file = PROJECT / "layers" / folder / "requirements.txt"
        return self._layer(construct_id, self._wheel_code(lock_file), f"Third-party wheels: {folder}")

    def _wheel_code(self, lock_file: Path) -> lambda_.Code:
        if not cdk.Stack.of(self).bundling_required:  # `cdk list` and template tests need no content
            return lambda_.Code.from_asset(str(lock_file.parent))
        target = WheelTarget(self._config.python_version, _MACHINES[self._config.architecture])
        built = build_wheels(lock_file, target, WHEEL_CACHE)
        return lambda_.Code.from_asset(
            str(built), asset_hash=fingerprint(lock_file.read_text(), target), asset_hash_type=cdk.AssetHashType.CUSTOM
        )

    def _layer(self, construct_id: str, code: lambda_.Code, description: str) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=code,
            description=description,
            compatible_runtimes=[runtime(self._config)],
            compatible_architectures=[architecture(self._config)],
        )


def runtime(config: DeployConfig) -> lambda_.Runtime:
    """Lambda runtime of a deployment's functions."""
    return lambda_.Runtime(f"python{config.python_version}", lambda_.RuntimeFamily.PYTHON)


def architecture(config: DeployConfig) -> lambda_.Architecture:
    """Processor of a deployment's functions."""
    return lambda_.Architecture.ARM_64 if config.architecture == "arm64" else lambda_.Architecture.X86_64


def _own_package() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(PROJECT / "layers" / "agent_memory"),
        exclude=["/*", "!/python", "__pycache__", "*.pyc", "*.egg-info"],
        ignore_mode=cdk.IgnoreMode.GIT,
    )
