"""The AwsSolutions rules over the whole deployment; what is acknowledged says why where it occurs."""

from types import SimpleNamespace

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from stacks.constructs import acknowledge as acknowledge_module
from tests.stacks.conftest import build


def findings(app):
    report = AwsSolutionsChecks(app, verbose=True).validate_scope(app)
    return [
        f"{violation.rule_name} at {resource.construct_path}: {violation.description}"
        for violation in report.violations
        for resource in violation.violating_resources
    ]


def test_no_finding_is_left(aws):
    assert findings(aws.app) == []


def test_every_acknowledgement_answers_a_finding(monkeypatch, tmp_path):
    acknowledged = set()

    class Recorder:
        @staticmethod
        def of(construct):
            return SimpleNamespace(acknowledge=lambda rule: acknowledged.add((rule.id, construct.node.path)))

    recording = SimpleNamespace(Validations=Recorder, Acknowledgment=cdk.Acknowledgment)
    monkeypatch.setattr(acknowledge_module, "cdk", recording)
    app, _ = build(tmp_path)
    found = findings(app)
    assert found
    unanswered = {
        (rule, path)
        for rule, path in acknowledged
        if not any(finding.startswith(f"{rule} at {path}") for finding in found)
    }
    assert unanswered == set()
