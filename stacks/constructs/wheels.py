"""Unpack the wheels of a lock file for the Lambda runtime, without Docker: pip downloads those of the target."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from stacks.constructs.bytecode import can_compile, compile_modules

# Increase this number when the way a folder is built changes: it is part of every cached folder's name.
_RECIPE = 5
# Services that functions create clients of, and STS, which credentials may need.
CLIENT_SERVICES = frozenset({"dynamodb", "s3", "stepfunctions", "sts"})
# Files and folders that a function neither runs nor reads; a layer's size counts towards Lambda's 250 MB.
_UNUSED = (
    "bin",
    "**/__pycache__",
    "**/tests",
    "**/*.a",
    "**/*.pxd",
    "**/*.pyi",
    "**/*.pyx",
    "boto3/data",  # descriptions of `boto3.resource`, which nothing uses
    "boto3/examples",
    "botocore/data/*/*/examples-1.json",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.min.*",
    "numpy/_core/*_tests.*",
    "numpy/_core/_simd.*",
    "numpy/_core/include",
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in (
            "auth_alpha",
            "batch",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "parser",
            "streaming",
        )
    ),
)


class WheelsError(RuntimeError):
    """The wheels of a lock file could not be downloaded."""


@dataclass(frozen=True, slots=True)
class WheelTarget:
    """The interpreter and the machine on which wheels run.

    Attributes:
        python: version as "3.13".
        machine: "aarch64" or "x86_64".
        glibc: minor version of the latest glibc that wheels may require; Amazon Linux 2023 has 2.34.
    """

    python: str = "3.13"
    machine: str = "aarch64"
    glibc: int = 34

    def pip_options(self) -> list[str]:
        """Options with which pip selects wheels for this target, whatever it runs on itself."""
        # Each glibc version has its own tag, and pip accepts only the tags that it is given.
        tags = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1)]
        platforms = [option for tag in [*tags, f"manylinux2014_{self.machine}"] for option in ("--platform", tag)]
        return [*platforms, "--python-version", self.python, "--implementation", "cp"]

    def markers(self) -> dict[str, str]:
        """The environment for evaluating a requirement's marker for this target."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def locked_requirements(lock: str, target: WheelTarget) -> list[str]:
    """The lines of a lock file that apply to the target, with their hashes and without their markers.

    pip evaluates markers for the interpreter that it runs on, so they are evaluated here.
    """
    logical_lines = re.sub(r"\\\n", " ", lock).splitlines()
    chosen = []
    for line in logical_lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        text, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(target.markers()):
            name_and_version = f"{requirement.name}{requirement.specifier}"
            chosen.append(" ".join([name_and_version, *(part.strip() for part in hashes)]))
    return chosen


def fingerprint(lock: str, target: WheelTarget) -> str:
    """A hash, in hexadecimal digits, of everything that the content of a built folder depends on."""
    built_how = [str(_RECIPE), repr(target), repr(can_compile(target.python))]
    content = "\n".join([*built_how, *locked_requirements(lock, target)])
    return hashlib.sha256(content.encode()).hexdigest()


def build_wheels(lock_file: Path, target: WheelTarget, cache: Path) -> Path:
    """Unpack the wheels of a lock file into `python/` of a folder below `cache`, once per lock file and target.

    Returns:
        The folder, in the layout of a Lambda layer. It is moved into place when it is complete.

    Raises:
        WheelsError: pip could not download a wheel for the target.
    """
    lock = lock_file.read_text()
    built = cache / f"{lock_file.parent.name}-{fingerprint(lock, target)[:16]}"
    if built.is_dir():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as scratch:
        folder = Path(scratch) / "layer"
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("\n".join(locked_requirements(lock, target)) + "\n")
        _install(requirements, folder / "python", target)
        _prune(folder / "python")
        compile_modules(folder, target.python)
        move_into_place(folder, built)
    return built


def _install(requirements: Path, folder: Path, target: WheelTarget) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--target", str(folder)]
    # `pip install` compares "Requires-Python" with the interpreter that it runs on; the lock file already considers it.
    command += [*target.pip_options(), "--ignore-requires-python", "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    if result.returncode != 0:
        reason = (result.stderr or result.stdout).strip()
        raise WheelsError(f"pip could not download the wheels for {target.python} {target.machine}:\n{reason}")


def _prune(folder: Path) -> None:
    """Delete what a function does not need."""
    descriptions = [path for path in folder.glob("botocore/data/*/") if path.name not in CLIENT_SERVICES]
    for path in [*descriptions, *(path for pattern in _UNUSED for path in folder.glob(pattern))]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # it may have been in a folder that is gone


def move_into_place(folder: Path, built: Path) -> None:
    """Rename a folder that is complete, unless another process was faster."""
    try:
        folder.rename(built)
    except OSError:
        if not built.is_dir():  # otherwise another synthesis was faster, with the same content
            raise
