"""Acknowledge findings of the security rules where they occur, with a reason."""

import json

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding on a construct.

    Args:
        construct: the construct that the rule reports, or one that holds it.
        rule: the rule's id, as "AwsSolutions-S1" or with its finding, "AwsSolutions-IAM5[Resource::*]".
        reason: why the finding is accepted.
    """
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def quoted(stack: cdk.Stack, value: str) -> str:
    """A value that CloudFormation resolves, as findings quote it: `<Ref>`, `<Resource.Attribute>`, an export's name."""

    def text_of(part: object) -> str:
        match part:
            case str():
                return part
            case {"Fn::Join": ["", parts]}:
                return "".join(map(text_of, parts))
            case {"Ref": name}:
                return f"<{name}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}.{attribute}>"
            case {"Fn::ImportValue": name}:
                return str(name)
        return json.dumps(part, separators=(",", ":"))

    return text_of(stack.resolve(value))
