"""What every function has in common, in both profiles."""

import platform
import sys

import pytest

from agent_memory.core.retention import LOG_DAYS

COMPUTING = {"agent-memory-api", "agent-memory-consolidation", "agent-memory-analytics"}


def functions(synthesized):
    return [
        (synthesized[stack], function)
        for stack in ("api", "nightly")
        for function in synthesized[stack].properties("AWS::Lambda::Function")
    ]


def test_there_are_six(aws):
    names = {function["FunctionName"] for _, function in functions(aws)}
    wanted = ("api", "agents", "consolidation", "pruning", "archival", "analytics")
    assert names == {f"agent-memory-{name}" for name in wanted}


def test_python_313_on_arm64_in_aws(aws):
    for _, function in functions(aws):
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_the_interpreter_and_processor_at_hand_locally(local):
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    for _, function in functions(local):
        assert function["Runtime"] == f"python3.{sys.version_info.minor}"
        assert function["Architectures"] == [machine]


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_logs_are_json_in_a_group_that_forgets(profile, request):
    for template, function in functions(request.getfixturevalue(profile)):
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        group = template.resources[logging["LogGroup"]["Ref"]]
        assert group["Properties"]["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
        assert group["Properties"]["RetentionInDays"] == LOG_DAYS


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_functions_are_traced_and_start_at_their_handler(profile, request):
    for _, function in functions(request.getfixturevalue(profile)):
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["Handler"] == "handler.handler"


def test_layers_in_aws(aws):
    for template, function in functions(aws):
        layers = [template.resources[layer["Ref"]]["Properties"]["Description"] for layer in function["Layers"]]
        science = ["Third-party wheels: science"] if function["FunctionName"] in COMPUTING else []
        assert layers == ["The package agent_memory", "Third-party wheels: dependencies", *science]


def test_the_local_cloud_brings_third_party_packages_itself(local):
    for template, function in functions(local):
        (layer,) = function["Layers"]
        assert template.resources[layer["Ref"]]["Properties"]["Description"] == "The package agent_memory"


def test_the_own_layer_holds_the_package_and_nothing_else(aws):
    (asset,) = {
        layer["Metadata"]["aws:asset:path"] if "Metadata" in layer else layer["Properties"]["Content"]["S3Key"]
        for layer in aws["api"].of_type("AWS::Lambda::LayerVersion").values()
        if layer["Properties"]["Description"] == "The package agent_memory"
    }
    folder = next(path for path in aws.folder.iterdir() if asset.removesuffix(".zip") in path.name)
    assert [path.name for path in folder.iterdir()] == ["python"]
    assert (folder / "python" / "agent_memory" / "storage" / "schema.py").is_file()
    assert not list(folder.rglob("__pycache__"))
    assert not list(folder.rglob("*.egg-info"))
