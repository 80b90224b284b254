"""Which lines a function logs, with the level of Lambda's filter and that of the deployment."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
from agent_memory.api.observability import add_metric, emits_metrics, logger
from agent_memory.core import metric_names

@emits_metrics
def handler(event, context):
    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)(level)
    add_metric(metric_names.DECISIONS_LOGGED, 1)

handler({}, None)
"""


def lines(lambdas, deployment):
    levels = {"AWS_LAMBDA_LOG_LEVEL": lambdas, "POWERTOOLS_LOG_LEVEL": deployment}
    environment = {
        **{name: value for name, value in os.environ.items() if name not in levels},
        **{name: value for name, value in levels.items() if value},
        "POWERTOOLS_SERVICE_NAME": "api",
        "POWERTOOLS_METRICS_NAMESPACE": "test",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize(
    ("lambdas", "deployment", "logged"),
    [
        ("DEBUG", "DEBUG", ["debug", "info", "warning", "error"]),
        ("INFO", "INFO", ["info", "warning", "error"]),
        ("INFO", "WARNING", ["warning", "error"]),
        ("INFO", "ERROR", ["error"]),
        (None, "DEBUG", ["debug", "info", "warning", "error"]),  # the local cloud has no filter
        (None, "WARNING", ["warning", "error"]),
        (None, None, ["info", "warning", "error"]),
    ],
)
def test_the_setting_decides_and_metrics_are_always_written(lambdas, deployment, logged):
    found = lines(lambdas, deployment)
    assert [one["message"] for one in found if "message" in one] == logged
    assert sum("_aws" in one for one in found) == 1
