"""Acknowledge a finding of the security rules where it occurs, with the reason."""

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding on a construct.

    Args:
        construct: the construct that the rule reports, or one that holds it.
        rule: the rule's id, as "AwsSolutions-S1" or with its finding, "AwsSolutions-IAM5[Resource::*]".
        reason: why the finding is right as it stands.
    """
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
