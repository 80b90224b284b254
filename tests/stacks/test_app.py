"""`app.py` as the CDK's command line runs it."""

import json
import os
import subprocess
import sys

import pytest

from stacks import PROJECT


def run_app(folder, **context):
    settings = json.loads((PROJECT / "cdk.json").read_text())["context"]
    environment = {name: value for name, value in os.environ.items() if name != "JSII_NODE"}
    environment["PATH"] = str(folder)  # no Node.js here
    environment["CDK_OUTDIR"] = str(folder / "out")
    environment["CDK_CONTEXT_JSON"] = json.dumps({**settings, "aws:cdk:bundling-stacks": [], **context})
    return subprocess.run(
        [sys.executable, str(PROJECT / "app.py")],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_it_runs_without_node_on_the_path(tmp_path):
    answer = run_app(tmp_path)
    assert answer.returncode == 0, answer.stderr
    templates = sorted(path.name for path in (tmp_path / "out").glob("*.template.json"))
    names = ("api", "cache", "nightly", "operations", "query", "storage")
    assert templates == [f"agent-memory-{name}.template.json" for name in names]


@pytest.mark.slow
def test_a_former_name_of_a_setting_is_reported_at_synthesis(tmp_path):
    answer = run_app(tmp_path, night_time="23:05")
    assert answer.returncode == 0, answer.stderr
    assert "context key night_time is deprecated: the setting is called nightly_time now" in answer.stderr


def test_an_invalid_setting_is_one_line(tmp_path):
    answer = run_app(tmp_path, prefix="Not A Name")
    assert answer.returncode == 1
    (line,) = answer.stderr.strip().splitlines()
    assert line.startswith("context key prefix: 'Not A Name' is not valid")
