"""Properties of all functions, in both profiles."""

import platform
import sys

import pytest

from agent_memory.core.retention import LOG_DAYS
from stacks.function_contents import CONTENTS


def functions(synthesized):
    return [
        (synthesized[stack], function)
        for stack in ("api", "nightly", "operations", "gateway")
        if stack in synthesized.templates
        for function in synthesized[stack].properties("AWS::Lambda::Function")
    ]


def test_every_function_is_deployed(aws, deployments):
    names = {function["FunctionName"] for _, function in functions(deployments("all guards"))}
    assert names == {f"agent-memory-{name}" for name in CONTENTS}
    without_gateways = {function["FunctionName"] for _, function in functions(aws)}
    assert names - without_gateways == {"agent-memory-gateway"}


def test_python_313_on_arm64_in_aws(aws):
    for _, function in functions(aws):
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_locally_functions_run_on_this_interpreter_and_processor(local):
    machine = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    for _, function in functions(local):
        assert function["Runtime"] == f"python3.{sys.version_info.minor}"
        assert function["Architectures"] == [machine]


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_logs_are_json_in_a_group_with_a_retention_time(profile, request):
    for template, function in functions(request.getfixturevalue(profile)):
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        group = template.resources[logging["LogGroup"]["Ref"]]
        assert group["Properties"]["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
        assert group["Properties"]["RetentionInDays"] == LOG_DAYS


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_nightly_functions_are_traced_and_all_start_at_their_handler(profile, request):
    for _, function in functions(request.getfixturevalue(profile)):
        expected = None if name_of(function) in {"api", "counter"} else {"Mode": "Active"}
        assert function.get("TracingConfig") == expected
        assert function["Handler"] == "handler.handler"


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_numpy_works_in_one_thread(profile, request):
    for _, function in functions(request.getfixturevalue(profile)):
        assert function["Environment"]["Variables"]["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_lambda_itself_logs_failures_only(profile, request):
    """The start and report of every invocation would be a third of all logs."""
    for _, function in functions(request.getfixturevalue(profile)):
        assert function["LoggingConfig"]["SystemLogLevel"] == "WARN"


def layers_of(template, function):
    """A function's layers by their descriptions."""
    layers = [template.resources[layer["Ref"]]["Properties"] for layer in function["Layers"]]
    return {layer["Description"]: layer for layer in layers}


def name_of(function):
    return function["FunctionName"].removeprefix("agent-memory-")


def package_layer(function):
    """The description of the layer with a function's part of the package."""
    return f"agent_memory for the function {name_of(function)}"


def test_a_function_has_its_package_and_its_wheels_in_aws(aws):
    for template, function in functions(aws):
        wheels = [f"Third-party wheels: {group}" for group in CONTENTS[name_of(function)].wheels]
        assert set(layers_of(template, function)) == {package_layer(function), *wheels}


def test_functions_of_one_stack_share_the_layers_of_wheels(aws):
    for stack in ("api", "nightly"):
        layers = [
            layer["Properties"]["Description"] for layer in aws[stack].of_type("AWS::Lambda::LayerVersion").values()
        ]
        assert len(layers) == len(set(layers))


def test_the_local_cloud_brings_third_party_packages_itself(local):
    for template, function in functions(local):
        assert set(layers_of(template, function)) == {package_layer(function)}


@pytest.mark.parametrize("profile", ["aws", "local"])
def test_the_package_of_a_function_holds_its_sub_packages_and_nothing_else(profile, request):
    synthesized = request.getfixturevalue(profile)
    for template, function in functions(synthesized):
        package = package_folder(synthesized, layers_of(template, function)[package_layer(function)])
        contents = {path.name for path in package.iterdir() if path.is_dir()}
        assert contents == set(CONTENTS[name_of(function)].packages)
        assert {"__init__.py", "py.typed"} == {path.name for path in package.iterdir() if path.is_file()}
        assert (package / "core" / "errors.py").is_file()
        assert [path.name for path in package.parent.iterdir()] == ["agent_memory"]
        assert [path.name for path in package.parent.parent.iterdir()] == ["python"]
        assert not list(package.rglob("__pycache__"))


def package_folder(synthesized, layer):
    """Where a layer's copy of `agent_memory` is in the synthesized app."""
    content = layer["Content"]["S3Key"]
    (folder,) = (path for path in synthesized.folder.iterdir() if content.removesuffix(".zip") in path.name)
    return folder / "python" / "agent_memory"
