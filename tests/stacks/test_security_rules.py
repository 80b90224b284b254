"""The AwsSolutions and Serverless rules over every deployment: each finding is acknowledged where it occurs."""

from types import SimpleNamespace

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from stacks.constructs import acknowledge as acknowledge_module
from tests.stacks.conftest import DEPLOYMENTS, build

PACKS = (AwsSolutionsChecks, ServerlessChecks)


def findings(app):
    return [
        f"{violation.rule_name} at {resource.construct_path}: {violation.description}"
        for pack in PACKS
        for violation in pack(app, verbose=True).validate_scope(app).violations
        for resource in violation.violating_resources
    ]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_no_finding_is_left(deployments, deployment):
    assert findings(deployments(deployment).app) == []


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_every_acknowledgement_answers_a_finding(deployment, monkeypatch, tmp_path):
    acknowledged = {}

    class Recorder:
        @staticmethod
        def of(construct):
            return SimpleNamespace(
                acknowledge=lambda rule: acknowledged.__setitem__((rule.id, construct.node.path), rule.reason)
            )

    recording = SimpleNamespace(Validations=Recorder, Acknowledgment=cdk.Acknowledgment)
    monkeypatch.setattr(acknowledge_module, "cdk", recording)
    app, _ = build(tmp_path, **DEPLOYMENTS[deployment])
    found = findings(app)
    assert found
    unanswered = {
        (rule, path)
        for rule, path in acknowledged
        if not any(finding.startswith(f"{rule} at {path}") for finding in found)
    }
    assert unanswered == set()
    assert all(len(reason) > 40 and reason.endswith(".") for reason in acknowledged.values())
