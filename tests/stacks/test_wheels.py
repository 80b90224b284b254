"""The builder of the dependency layers."""

import itertools
import platform
import subprocess
import sys

import pytest

from stacks import PROJECT
from stacks.constructs import wheels
from stacks.constructs.dependency_layer import WHEEL_CACHE
from stacks.constructs.wheels import WheelsError, WheelTarget, build_wheels, fingerprint, locked_requirements

LAMBDA = WheelTarget("3.13", "aarch64")
LAMBDA_UNZIPPED_LIMIT = 250 * 2**20
LOCK = """\
# a comment
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via scipy
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:cc
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:dd
extra[one]==1.0 \\
    --hash=sha256:ee
"""


def test_markers_are_judged_for_the_target():
    assert locked_requirements(LOCK, LAMBDA) == ["numpy==2.5.5 --hash=sha256:cc", "extra==1.0 --hash=sha256:ee"]
    older = locked_requirements(LOCK, WheelTarget("3.11", "x86_64"))
    assert older[0] == "numpy==2.4.6 --hash=sha256:aa --hash=sha256:bb"


@pytest.mark.parametrize("layer", ["dependencies", "science"])
def test_every_locked_requirement_has_a_version_and_a_hash(layer):
    lines = locked_requirements((PROJECT / "layers" / layer / "requirements.txt").read_text(), LAMBDA)
    assert lines
    assert all("==" in line and "--hash=sha256:" in line for line in lines)


def test_pip_is_told_the_target():
    options = LAMBDA.pip_options()
    platforms = [value for flag, value in itertools.pairwise(options) if flag == "--platform"]
    for wanted in ("2_28", "2_27", "2_26", "2_17"):
        assert f"manylinux_{wanted}_aarch64" in platforms
    assert "manylinux2014_aarch64" in platforms
    assert "manylinux_2_35_aarch64" not in platforms
    assert options[-4:] == ["--python-version", "3.13", "--implementation", "cp"]


def test_the_fingerprint_follows_what_is_installed_and_not_its_comments():
    assert fingerprint(LOCK, LAMBDA) == fingerprint(LOCK.replace("a comment", "another"), LAMBDA)
    assert fingerprint(LOCK, LAMBDA) != fingerprint(LOCK.replace("sha256:cc", "sha256:cd"), LAMBDA)
    assert fingerprint(LOCK, LAMBDA) != fingerprint(LOCK, WheelTarget("3.12", "aarch64"))


@pytest.fixture
def lock_file(tmp_path):
    folder = tmp_path / "dependencies"
    folder.mkdir()
    (folder / "requirements.txt").write_text(LOCK)
    return folder / "requirements.txt"


def fake_pip(returncode=0):
    calls = []

    def run(command, **_):
        calls.append(command)
        folder = PROJECT.__class__(command[command.index("--target") + 1])
        for path in ("numpy/__init__.py", "numpy/tests/test_a.py", "numpy/core.pyi", "bin/f2py", "a/__pycache__/b.pyc"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("")
        return subprocess.CompletedProcess(command, returncode, "", "no matching distribution")

    return run, calls


def test_a_folder_is_built_once_and_pruned(lock_file, tmp_path, monkeypatch):
    run, calls = fake_pip()
    monkeypatch.setattr(wheels.subprocess, "run", run)
    built = build_wheels(lock_file, LAMBDA, tmp_path / "cache")
    assert built == build_wheels(lock_file, LAMBDA, tmp_path / "cache")
    assert len(calls) == 1
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(calls[0])
    files = [str(path.relative_to(built)) for path in built.rglob("*") if path.is_file()]
    assert files == ["python/numpy/__init__.py"]


def test_a_failed_build_leaves_nothing_and_says_why(lock_file, tmp_path, monkeypatch):
    run, _ = fake_pip(returncode=1)
    monkeypatch.setattr(wheels.subprocess, "run", run)
    with pytest.raises(WheelsError, match=r"3\.13 aarch64 layer:\nno matching distribution"):
        build_wheels(lock_file, LAMBDA, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.slow
def test_layers_and_package_fit_into_a_function():
    layers = [
        build_wheels(PROJECT / "layers" / name / "requirements.txt", LAMBDA, WHEEL_CACHE)
        for name in ("dependencies", "science")
    ]
    package = PROJECT / "layers" / "agent_memory" / "python"
    sizes = [path.stat().st_size for folder in (*layers, package) for path in folder.rglob("*") if path.is_file()]
    assert 100 * 2**20 < sum(sizes) < LAMBDA_UNZIPPED_LIMIT
    assert all("x86_64" not in path.name for folder in layers for path in folder.rglob("*.so"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Linux")
def test_pruned_wheels_still_work(tmp_path):
    """The same recipe for this very interpreter, in a process that sees nothing else."""
    target = WheelTarget(f"3.{sys.version_info.minor}", platform.machine())
    folders = [
        str(build_wheels(PROJECT / "layers" / name / "requirements.txt", target, WHEEL_CACHE) / "python")
        for name in ("dependencies", "science")
    ]
    program = (
        "import duckdb, pydantic, redis, scipy.cluster, scipy.spatial, scipy.stats;"
        "import aws_lambda_powertools.event_handler, aws_lambda_powertools.metrics;"
        "print(scipy.stats.norm.cdf(0), duckdb.sql('select 1').fetchall())"
    )
    answer = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env={"PYTHONPATH": ":".join(folders), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.stdout, answer.returncode) == ("0.5 [(1,)]\n", 0), answer.stderr
