"""Every function runs with its layers and nothing else, on the Python of its runtime where that is installed.

The wheels are those of the functions' locks for this machine's processor; tests/stacks/test_wheels.py checks those for
the functions' own processor. The tables are those of an emulator.
"""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent_memory.storage.factory import open_stores
from local import LocalCloud
from local.layout import Layout
from stacks import PROJECT
from stacks.config import DeployConfig
from stacks.constructs.function_layers import WHEEL_CACHE, lock_file
from stacks.constructs.wheels import WheelTarget, build_wheels
from stacks.function_contents import CONTENTS
from stacks.pythons import interpreter
from tests.aws_tables import create_tables
from tests.lambdas.workload import BUCKET, NIGHTLY, PREFIX, calls_of, environment_of, fill

OF_LAMBDA = interpreter(DeployConfig().python_version)
PYTHON = DeployConfig().python_version if OF_LAMBDA else f"3.{sys.version_info.minor}"
PACKAGE = PROJECT / "layers" / "agent_memory" / "python" / "agent_memory"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.local_cloud,
    pytest.mark.skipif(sys.platform != "linux", reason="the functions' wheels are for Linux"),
]

# What Lambda's runtime brings itself must not be needed, and comes after the layers.
LAMBDA_S_OWN = "raise ImportError('this is the copy of the runtime, not that of the layer')"


def link(source: str, target: str) -> None:
    """Instead of a copy, which would take most of the time; a later layer replaces files of an earlier one."""
    Path(target).unlink(missing_ok=True)
    Path(target).symlink_to(source)


def unpack(function: str, folder: Path) -> Path:
    """The layers of a function, one after the other into one folder, as Lambda unpacks them into `/opt`."""
    target = WheelTarget(PYTHON, platform.machine())
    python = folder / "python"
    package = python / "agent_memory"
    package.mkdir(parents=True)
    for path in PACKAGE.iterdir():
        if path.is_file():
            shutil.copy(path, package)
        elif path.name in CONTENTS[function].packages:
            shutil.copytree(path, package / path.name)
    for group in CONTENTS[function].wheels:
        wheels = build_wheels(lock_file(group), target, WHEEL_CACHE) / "python"
        shutil.copytree(wheels, python, copy_function=link, dirs_exist_ok=True)
    return folder


def run(function: str, folder: Path, cloud: LocalCloud) -> dict:
    clients = {name: value for name, value in cloud.environment().items() if name.startswith("AWS_")}
    endpoint = cloud.redis_endpoint if "cache" in CONTENTS[function].wheels else None
    own = folder / "runtime"
    for name in ("boto3", "botocore", "urllib3"):
        (own / name).mkdir(parents=True)
        (own / name / "__init__.py").write_text(LAMBDA_S_OWN)
    code, layers = folder / "task", unpack(function, folder / "opt")
    shutil.copytree(PROJECT / "lambdas" / function, code)
    completed = subprocess.run(
        [OF_LAMBDA or sys.executable, "-I", "-S", Path(__file__).with_name("inside_layers.py"), code, layers, own],
        input=json.dumps(calls_of(function)),
        env=clients | environment_of(endpoint),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout.splitlines()[-1])  # log lines and metrics come before


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What each function reports; in the order of the nightly job, on the tables of an emulator."""
    folder = tmp_path_factory.mktemp("layers")
    cloud = LocalCloud(Layout(state=folder / "state")).start()
    try:
        session = cloud.boto_session()
        dynamodb, s3 = session.client("dynamodb"), session.client("s3")
        create_tables(dynamodb, PREFIX)
        s3.create_bucket(Bucket=BUCKET)
        fill(open_stores(archive_bucket=BUCKET, dynamodb_client=dynamodb, s3_client=s3))
        return {name: run(name, folder / name, cloud) for name in (*NIGHTLY, "api", "gateway", "counter")}
    finally:
        cloud.stop()


def test_every_function_is_run():
    assert set(CONTENTS) == {"api", "gateway", "counter", *NIGHTLY}


@pytest.mark.skipif(OF_LAMBDA is None, reason=f"Python {DeployConfig().python_version} is not installed")
def test_the_interpreter_is_that_of_the_functions(reports):
    assert {report["python"] for report in reports.values()} == {DeployConfig().python_version}


@pytest.mark.parametrize("function", CONTENTS)
def test_a_function_imports_from_its_code_its_layers_and_the_standard_library_only(reports, function):
    report = reports[function]
    own = ("/task/", "/opt/python/")
    elsewhere = {
        name: file
        for name, file in report["files"].items()
        if not any(part in file for part in own)
        and not file.startswith(tuple(report["standard"]))
        and not file.endswith("inside_layers.py")
    }
    assert elsewhere == {}
    assert not [file for file in report["files"].values() if "site-packages" in file]


@pytest.mark.parametrize("function", sorted(CONTENTS.keys() - {"counter"}))  # which makes no request
def test_boto3_is_that_of_the_layer_although_the_runtime_has_its_own(reports, function):
    report = reports[function]
    assert "/opt/python/boto3/" in report["files"]["boto3"]
    assert f"boto3=={report['boto3']} " in lock_file("runtime").read_text()


@pytest.mark.parametrize(("function", "expected"), NIGHTLY.items())
def test_a_nightly_function_runs_in_its_layers(reports, function, expected):
    (result,) = reports[function]["results"]
    assert {name: result[name] for name in expected} == expected


def test_the_api_runs_in_its_layers(reports):
    responses = reports["api"]["results"]
    assert [response["statusCode"] for response in responses] == [201, *[200] * (len(responses) - 1)]
    *_, stored, _, recalled, contexts = [json.loads(response["body"]) for response in responses]
    assert stored["data"] == {"n": 1}
    assert recalled["found"][0]["memory"]["pattern_id"] == "pump"
    assert contexts["complete"] is True
    assert "archive" in {entry["level"] for entry in contexts["entries"]}


def test_the_gateway_runs_in_its_layers(reports):
    recorded, found, stored, verified = reports["gateway"]["results"]
    assert [one["decision_id"] for one in found["entries"]] == [recorded["decision_id"]]
    assert stored["stored"]
    assert (verified["figures"]["status"], verified["figures"]["days"]) == ("unchanged", 4)
