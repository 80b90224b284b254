"""A function's layers hold what the function imports, and nothing else."""

import ast
import re
from importlib.metadata import packages_distributions

import grimp
import pytest

from stacks import PROJECT
from stacks.config import DeployConfig
from stacks.constructs.function_layers import lock_file
from stacks.constructs.wheels import WheelTarget, locked_requirements
from stacks.function_contents import CONTENTS, WHEEL_GROUPS

EVERY_GROUP = sorted(path.parent.name for path in (PROJECT / "layers").glob("*/requirements.in"))


@pytest.fixture(scope="module")
def graph():
    """Which module of the product imports which; imports for type checkers do not count, those inside functions do."""
    return grimp.build_graph(
        "agent_memory", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


@pytest.fixture(scope="module")
def distributions():
    """The names of installed distributions by the modules that they bring."""
    return packages_distributions()


def imports_of(source):
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def own_modules(graph, function):
    """Every module of the product that a handler imports, directly or not."""
    found, waiting = set(), list(imports_of(PROJECT / "lambdas" / function / "handler.py"))
    while waiting:
        module = waiting.pop()
        if module in found or not module.startswith("agent_memory"):
            continue
        found.add(module)
        waiting += graph.find_modules_directly_imported_by(module)
        if "." in module:
            waiting.append(module.rpartition(".")[0])  # importing a module runs its package
    return found


def names_in(group):
    """The distributions that a group's requirements.in asks for."""
    lines = lock_file(group).with_suffix(".in").read_text().splitlines()
    return {re.match(r"[\w-]+", line)[0].lower() for line in lines if line and not line.startswith("#")}


def test_every_function_has_contents():
    assert set(CONTENTS) == {path.parent.name for path in (PROJECT / "lambdas").glob("*/handler.py")}


@pytest.mark.parametrize("function", CONTENTS)
def test_a_function_holds_the_packages_that_it_imports(graph, function):
    imported = {module.split(".")[1] for module in own_modules(graph, function) if "." in module}
    assert sorted(imported) == sorted(CONTENTS[function].packages)


@pytest.mark.parametrize("function", CONTENTS)
def test_a_function_holds_no_wheels_that_its_packages_do_not_import(graph, distributions, function):
    packages = tuple(f"agent_memory.{package}" for package in CONTENTS[function].packages)
    modules = [module for module in graph.modules if module.startswith(packages)]
    imported = {name.split(".")[0] for module in modules for name in graph.find_modules_directly_imported_by(module)}
    used = {one.lower() for name in imported for one in distributions.get(name, [])}
    for group in CONTENTS[function].wheels:
        assert names_in(group) & used, group


def test_every_group_of_wheels_is_used():
    assert sorted(WHEEL_GROUPS) == EVERY_GROUP


def test_the_api_holds_neither_the_callers_side_nor_statistics_nor_a_database():
    api = CONTENTS["api"]
    assert not {"buffering", "cli", "client", "nightly", "pricing", "reporting"} & set(api.packages)
    assert not {"parquet", "science"} & set(api.wheels)


def test_a_function_has_no_more_layers_than_lambda_allows():
    assert all(len(contents.wheels) + 1 <= 5 for contents in CONTENTS.values())


FUNCTIONS = WheelTarget(DeployConfig().python_version)
SUPPORTED = ("3.11", "3.12", "3.13")


def pins(lock, target):
    """The locked versions by name that apply to an interpreter."""
    lines = locked_requirements(lock.read_text(), target)
    return dict(line.partition(" ")[0].split("==") for line in lines)


@pytest.mark.parametrize("python", SUPPORTED)
@pytest.mark.parametrize("lock", ["requirements-dev.txt", "requirements-local.txt"])
@pytest.mark.parametrize("group", EVERY_GROUP)
def test_tests_and_local_cloud_run_on_the_very_versions_of_the_functions(group, lock, python):
    """On every supported Python, so that whatever the tests show about numbers or stores holds for the functions."""
    wanted = pins(lock_file(group), FUNCTIONS)
    found = pins(PROJECT / lock, WheelTarget(python, "x86_64"))
    assert {name: found.get(name) for name in wanted} == wanted
