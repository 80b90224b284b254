"""Policies of resources: a service may use one only on behalf of this account, or of one resource of it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import json

import pytest

from tests.stacks.conftest import DEPLOYMENTS
from tests.stacks.iam import ACCOUNT
from tests.stacks.templates import as_list

_FIELDS = ("PolicyDocument", "KeyPolicy", "ResourcePolicy", "Policy")
_OF_ROLES = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::EC2::VPCEndpoint")


def grants(templates):
    """(where, statement) of every permission that a resource's policy gives."""
    for stack, template in templates.items():
        for name, resource in template.resources.items():
            if resource["Type"] in _OF_ROLES:
                continue
            for field in _FIELDS:
                for statement in resource.get("Properties", {}).get(field, {}).get("Statement", []):
                    if statement["Effect"] == "Allow":
                        yield f"{stack}/{name}", statement


def without_source(statement):
    """Whether a service may act for anybody; the account's own principals are no services."""
    principal = statement["Principal"]
    if isinstance(principal, dict) and set(principal) == {"AWS"}:
        return not all(ACCOUNT in json.dumps(one) or "AWS::AccountId" in json.dumps(one) for one in as_list(principal))
    conditions = {key.lower(): value for test in statement.get("Condition", {}).values() for key, value in test.items()}
    account = conditions.get("aws:sourceaccount")
    return account not in (ACCOUNT, {"Ref": "AWS::AccountId"}) or "aws:sourcearn" not in conditions


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_no_service_acts_for_another_account(deployments, deployment):
    found = list(grants(deployments(deployment).templates))
    assert [where for where, statement in found if without_source(statement)] == []
    assert any(statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"} for _, statement in found)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_functions_are_invoked_for_an_arn_of_this_account(deployments, deployment):
    for template in deployments(deployment).templates.values():
        for permission in template.properties("AWS::Lambda::Permission"):
            arn = json.dumps(permission["SourceArn"])
            assert ACCOUNT in arn or "AWS::AccountId" in arn


def test_the_services_that_are_expected(deployments):
    services = {
        statement["Principal"]["Service"]
        for _, statement in grants(deployments("all guards").templates)
        if isinstance(statement["Principal"], dict) and "Service" in statement["Principal"]
    }
    assert services == {"budgets.amazonaws.com", "cloudtrail.amazonaws.com", "cloudwatch.amazonaws.com"}


def test_a_grant_without_a_source_would_be_found():
    service = {"Service": "budgets.amazonaws.com"}
    assert without_source({"Principal": service})
    assert without_source({"Principal": service, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:budgets::1:*"}}})
    assert without_source({"Principal": "*"})
    assert without_source({"Principal": {"AWS": "*"}})


def test_the_audit_trail_is_the_only_one_that_may_write_into_its_bucket(deployments):
    audit = deployments("all guards")["audit"]
    trail = audit.only("AWS::CloudTrail::Trail")
    statements = audit.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    allowed = [one for one in statements if one["Effect"] == "Allow"]
    assert {one["Action"] for one in allowed} == {"s3:GetBucketAcl", "s3:PutObject"}
    for one in allowed:
        arn = one["Condition"]["StringEquals"]["aws:SourceArn"]
        assert arn.endswith(f":trail/{trail['TrailName']}")
    (policy,) = audit.of_type("AWS::S3::BucketPolicy")
    (resource,) = audit.of_type("AWS::CloudTrail::Trail").values()
    assert policy in resource["DependsOn"]
