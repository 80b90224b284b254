"""`python -m stacks.alarm_list`: every alarm that a deployment can have and its runbook, as a Markdown table."""

import tempfile
from collections.abc import Iterable, Iterator

import aws_cdk as cdk

from stacks.application import add_stacks
from stacks.config import DeployConfig
from stacks.constructs.alarms import AlarmDefinition, runbook_path


def alarm_list(definitions: Iterable[AlarmDefinition]) -> Iterator[str]:
    """The lines of the table."""
    yield "| alarm | what happened | runbook |"
    yield "| --- | --- | --- |"
    for definition in definitions:
        for severity, threshold in definition.thresholds.items():
            yield f"| {definition.name}-{severity} | {threshold.description} | {runbook_path(definition.page)} |"


def main() -> None:
    """Print the table, for a deployment with every setting that adds alarms."""
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(context={"aws:cdk:bundling-stacks": []}, outdir=folder)  # no wheels: nothing is synthesized
        stacks = add_stacks(app, DeployConfig(decisions_expected_hours=2))
        print("\n".join(alarm_list(stacks.operations.alarms.definitions)))


if __name__ == "__main__":
    main()
