"""Runs of the deployed nightly job."""

import json
import time

SECONDS = 300


def run_nightly_job(cloud, event, machine_arn=None):
    """Run the state machine on an event, wait for its end, and return the execution's description.

    Args:
        cloud: the local cloud.
        event: the execution's input: `{"date", "agents"}`, both of which may be left out.
        machine_arn: another state machine than the deployed one.
    """
    machine = cloud.boto_session().client("stepfunctions")
    started = machine.start_execution(
        stateMachineArn=machine_arn or cloud.outputs["NightlyStateMachineArn"], input=json.dumps(event)
    )
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        execution = machine.describe_execution(executionArn=started["executionArn"])
        if execution["status"] != "RUNNING":
            return execution
        time.sleep(0.05)
    raise AssertionError(f"the nightly job did not end within {SECONDS} seconds")
