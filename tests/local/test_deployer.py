"""How the CDK command line is called: in which environment, and for which stacks when some of them fail."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.assembly import Assembly, Stack
from local.deploy import Deployer, in_order
from local.layout import Layout
from local.node import Node

STACKS = [
    Stack("operations", {}, after=frozenset({"api", "storage"})),
    Stack("api", {}, after=frozenset({"storage"})),
    Stack("query", {}, after=frozenset({"storage"})),
    Stack("storage", {}),
]


class FakeTools:
    """Records the commands; one that deploys a broken stack fails."""

    def __init__(self, broken: set[str]) -> None:
        self.broken = broken
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []

    def run(self, command, *, environment, directory, log) -> None:
        self.commands.append([word for word in command[3:] if not word.startswith("-")])
        self.environments.append({**environment, "directory": str(directory)})
        log.write_text("")
        if self.broken & set(command):
            raise subprocess.CalledProcessError(1, command, output="api failed: rror: no such type")


@pytest.fixture
def deploy(tmp_path: Path):
    def run(*broken: str) -> tuple[dict[str, str], FakeTools]:
        layout, tools = Layout(state=tmp_path / "state"), FakeTools(set(broken))
        layout.create()
        session = SimpleNamespace(client=lambda _service: None)  # the assembly has no stack whose exports are compared
        deployer = Deployer(tools, layout, Node(Path("node"), ("npm",)), Path("cdk"), session, {})
        return deployer.deploy_separately(Assembly(tmp_path), STACKS), tools

    return run


def test_stacks_come_after_those_that_they_need() -> None:
    names = [stack.name for stack in in_order(STACKS)]
    assert names[0] == "storage"
    assert names.index("operations") > names.index("api")


def test_without_a_failure_one_command_deploys_all(deploy) -> None:
    failed, tools = deploy()
    assert (failed, len(tools.commands)) == ({}, 1)


def test_a_stack_that_fails_stops_only_those_that_need_it(deploy) -> None:
    failed, tools = deploy("api")
    assert "no such type" in failed.pop("api")
    assert failed == {"operations": "it needs api"}
    separately = {command[0] for command in tools.commands[1:]}
    assert separately == {"storage", "api", "query"}


def test_the_command_line_keeps_its_cache_of_accounts_out_of_the_user_s_home(deploy, tmp_path: Path) -> None:
    """It caches the account of an access key; emulators assign different ones to the same key."""
    _, tools = deploy()
    assert tools.environments[0]["CDK_HOME"].startswith(str(tmp_path))
