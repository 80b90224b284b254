"""The builder of the layers of third-party wheels, and how large functions are."""

import itertools
import platform
import re
import subprocess
import sys

import pytest
from packaging import tags
from packaging.utils import canonicalize_name

from stacks import PROJECT
from stacks.constructs import wheels
from stacks.constructs.function_layers import WHEEL_CACHE, lock_file
from stacks.constructs.wheels import (
    CLIENT_SERVICES,
    WheelsError,
    WheelTarget,
    build_wheels,
    fingerprint,
    locked_requirements,
)
from stacks.function_contents import CONTENTS, WHEEL_GROUPS
from stacks.layer_sizes import layer_bytes, table

LAMBDA = WheelTarget("3.13", "aarch64")
MEGABYTE = 2**20
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


def test_markers_are_evaluated_for_the_target():
    assert locked_requirements(LOCK, LAMBDA) == ["numpy==2.5.5 --hash=sha256:cc", "extra==1.0 --hash=sha256:ee"]
    older = locked_requirements(LOCK, WheelTarget("3.11", "x86_64"))
    assert older[0] == "numpy==2.4.6 --hash=sha256:aa --hash=sha256:bb"


@pytest.mark.parametrize("group", WHEEL_GROUPS)
def test_every_locked_requirement_has_a_version_and_a_hash_and_no_index(group):
    text = lock_file(group).read_text()
    assert "://" not in text
    lines = locked_requirements(text, LAMBDA)
    assert lines
    assert all("==" in line and "--hash=sha256:" in line for line in lines)


def test_pip_gets_the_tags_of_the_target():
    options = LAMBDA.pip_options()
    platforms = [value for flag, value in itertools.pairwise(options) if flag == "--platform"]
    for version in ("2_28", "2_27", "2_26", "2_17"):
        assert f"manylinux_{version}_aarch64" in platforms
    assert "manylinux2014_aarch64" in platforms
    assert "manylinux_2_35_aarch64" not in platforms
    assert options[-4:] == ["--python-version", "3.13", "--implementation", "cp"]


def test_the_fingerprint_depends_on_what_is_installed_and_not_on_comments():
    assert fingerprint(LOCK, LAMBDA) == fingerprint(LOCK.replace("a comment", "another"), LAMBDA)
    assert fingerprint(LOCK, LAMBDA) != fingerprint(LOCK.replace("sha256:cc", "sha256:cd"), LAMBDA)
    assert fingerprint(LOCK, LAMBDA) != fingerprint(LOCK, WheelTarget("3.12", "aarch64"))


@pytest.fixture
def small_lock(tmp_path):
    folder = tmp_path / "runtime"
    folder.mkdir()
    (folder / "requirements.txt").write_text(LOCK)
    return folder / "requirements.txt"


NEEDED = {
    "numpy/__init__.py",
    "botocore/data/endpoints.json",
    "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
    "aws_lambda_powertools/utilities/data_classes/__init__.py",
}
UNUSED = {
    "numpy/tests/test_a.py",
    "numpy/core.pyi",
    "bin/f2py",
    "a/__pycache__/b.pyc",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "botocore/data/dynamodb/2012-08-10/examples-1.json",
    "boto3/data/dynamodb/2012-08-10/resources-1.json",
    "aws_lambda_powertools/utilities/kafka/__init__.py",
}


def fake_pip(returncode=0):
    calls = []

    def run(command, **_):
        if "--target" not in command:  # of the compiler
            return subprocess.CompletedProcess(command, 0, "", "")
        calls.append(command)
        folder = PROJECT.__class__(command[command.index("--target") + 1])
        for path in NEEDED | UNUSED:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("")
        return subprocess.CompletedProcess(command, returncode, "", "no matching distribution")

    return run, calls


def test_a_folder_is_built_once_and_pruned(small_lock, tmp_path, monkeypatch):
    run, calls = fake_pip()
    monkeypatch.setattr(wheels.subprocess, "run", run)
    built = build_wheels(small_lock, LAMBDA, tmp_path / "cache")
    assert built == build_wheels(small_lock, LAMBDA, tmp_path / "cache")
    assert len(calls) == 1
    assert {"--require-hashes", "--only-binary=:all:", "--no-deps"} <= set(calls[0])
    files = {path.relative_to(built / "python").as_posix() for path in built.rglob("*") if path.is_file()}
    assert files == NEEDED


def test_a_failed_build_leaves_nothing_behind_and_reports_why(small_lock, tmp_path, monkeypatch):
    run, _ = fake_pip(returncode=1)
    monkeypatch.setattr(wheels.subprocess, "run", run)
    with pytest.raises(WheelsError, match=r"3\.13 aarch64:\nno matching distribution"):
        build_wheels(small_lock, LAMBDA, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_services_that_functions_may_call_keep_their_descriptions(aws):
    """A function's role names the services; these are called without a client, or by AWS itself."""
    without_client = {"ec2", "elasticache", "kms", "logs", "xray"}
    called = {
        action.partition(":")[0]
        for stack in ("api", "nightly")
        for function in aws[stack].properties("AWS::Lambda::Function")
        for action, _ in aws[stack].permissions(function["FunctionName"])
    }
    clients = {"states": "stepfunctions"}  # where the client's name is not the one of its actions
    assert {clients.get(one, one) for one in called - without_client} <= CLIENT_SERVICES


@pytest.mark.slow
def test_every_function_fits_into_lambda_and_the_api_is_light():
    sizes = layer_bytes()
    totals = {name: sum(layers.values()) / MEGABYTE for name, layers in sizes.items()}
    assert totals["api"] < 70, table(sizes)
    assert totals["agents"] < 20, table(sizes)
    assert totals["pruning"] < 25, table(sizes)  # with its byte-code
    assert max(totals.values()) < 250, table(sizes)
    assert totals["consolidation"] > 100, "the sizes count everything"
    assert [line.split()[0] for line in table(sizes).splitlines()] == ["MB", *CONTENTS]


@pytest.fixture(scope="module")
def functions_wheels():
    """The unpacked wheels of a group for the functions: pip has compared each with the hashes of the lock."""

    def build(group):
        try:
            return build_wheels(lock_file(group), LAMBDA, WHEEL_CACHE) / "python"
        except WheelsError as error:
            if "NewConnectionError" in str(error) or "Temporary failure in name resolution" in str(error):
                pytest.skip("the package registry, from which pip gets the wheels of the functions, cannot be reached")
            raise

    return build


def compatible_tags(target):
    """The tags of wheels that the target can use, as pip considers them."""
    options = target.pip_options()
    platforms = [value for flag, value in itertools.pairwise(options) if flag == "--platform"]
    version = tuple(int(part) for part in target.python.split("."))
    return {
        *tags.cpython_tags(version, platforms=platforms),
        *tags.compatible_tags(version, f"cp{version[0]}{version[1]}", platforms),
    }


@pytest.mark.slow
@pytest.mark.parametrize("group", WHEEL_GROUPS)
def test_every_locked_version_has_a_wheel_for_the_functions(functions_wheels, group):
    installed = {}
    for description in functions_wheels(group).glob("*.dist-info"):
        lines = (description / "WHEEL").read_text().splitlines()
        of_wheel = {tag for line in lines if line.startswith("Tag: ") for tag in tags.parse_tag(line[5:])}
        assert of_wheel & compatible_tags(LAMBDA), (description.name, of_wheel)
        name, version = description.name.removesuffix(".dist-info").split("-")
        installed[canonicalize_name(name)] = version
    locked = [line.partition(" ")[0] for line in locked_requirements(lock_file(group).read_text(), LAMBDA)]
    assert installed == {canonicalize_name(name): version for name, version in (line.split("==") for line in locked)}


# The field e_machine of an ELF file's header, by processor.
MACHINES = {"aarch64": 183, "x86_64": 62}


@pytest.mark.slow
@pytest.mark.parametrize("group", WHEEL_GROUPS)
def test_compiled_modules_are_for_the_processor_and_the_python_of_the_functions(functions_wheels, group):
    libraries = [path for path in functions_wheels(group).rglob("*") if ".so" in path.suffixes]
    for path in libraries:
        header = path.read_bytes()[:20]
        assert header[:4] == b"\x7fELF", path
        assert int.from_bytes(header[18:20], "little") == MACHINES[LAMBDA.machine], path
        assert not re.search(r"cpython-(?!313-)", path.name), path
    compiled = {"http", "parquet", "arrow", "science"}
    assert bool(libraries) or group not in compiled


# What functions do with each group of wheels; nothing that was pruned may be missed.
USES = {
    "runtime": """
import boto3, tenacity
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext
for service in CLIENT_SERVICES:
    client = boto3.client(service, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert client.meta.endpoint_url.endswith(".eu-central-1.amazonaws.com"), service
boto3.client("s3", region_name="eu-central-1").get_paginator("list_objects_v2")
""",
    "http": """
import pydantic
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
APIGatewayHttpResolver(enable_validation=True).get_openapi_schema()
assert pydantic.TypeAdapter(int).validate_python(1) == 1
""",
    "cache": "import redis; redis.Redis(host='127.0.0.1', port=1)",
    "parquet": "import duckdb; assert duckdb.sql('select 1').fetchall() == [(1,)]",
    "arrow": """
import arro3.core, arro3.io, arro3.io.store
arro3.core.DataType.list(arro3.core.Field("a", arro3.core.DataType.utf8()))
""",
    "science": """
import numpy
assert numpy.linalg.solve(numpy.eye(2), numpy.random.default_rng(0).random(2)).shape == (2,)
""",
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the wheels are for Linux")
@pytest.mark.parametrize("group", WHEEL_GROUPS)
def test_pruned_wheels_still_work(tmp_path, group):
    """The same recipe for this very interpreter, in a process that sees nothing else."""
    target = WheelTarget(f"3.{sys.version_info.minor}", platform.machine())
    folders = [
        str(build_wheels(lock_file(one), target, WHEEL_CACHE) / "python") for one in dict.fromkeys(["runtime", group])
    ]
    program = f"CLIENT_SERVICES = {sorted(CLIENT_SERVICES)}\n{USES[group]}"
    answer = subprocess.run(
        [sys.executable, "-S", "-W", "ignore", "-c", program],
        env={
            "PYTHONPATH": ":".join(folders),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POWERTOOLS_SERVICE_NAME": "test",
            "POWERTOOLS_METRICS_NAMESPACE": "test",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
