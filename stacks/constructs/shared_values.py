"""Values that a stack gives to other stacks, and what happens when such a value changes.

CDK skips a stack whose template has not changed. A reference whose text stays the same while its value changes would
leave the stack that uses it with the former value. There are two kinds of values:

- Exported ones must not change: CloudFormation refuses to change or remove an export that a stack imports. References
  that CDK makes by itself are of this kind, by the flag `defaultCrossStackReferences` of cdk.json.
- Followed ones may change, because a setting replaces their resource. Their output has another name then, and so the
  templates that use it change too.

A stack that uses either has to be deployed after the one that has it: `BaseStack(after=…)`.
"""

import re

import aws_cdk as cdk


def keep_exports(stack: cdk.Stack, *values: str) -> None:
    """Export attributes of a stack's resources under the names of CDK's own references, used or not.

    A stack is deployed before those that import from it. When a setting or another version of the stacks stops using a
    value, its export has to stay, or CloudFormation would refuse to remove it.
    """
    for value in values:
        stack.export_value(value)


def exported(stack: cdk.Stack, name: str, value: str, *, variant: str | None = None) -> str:
    """Export a value that never changes while another stack uses it.

    Args:
        stack: the stack that exports it.
        name: its name, unique in the stack.
        value: the value.
        variant: the setting on which the value depends, where it is set; another text is another export.

    Returns:
        The value, for the templates of other stacks.
    """
    # The name of an export consists of letters, digits, colons and hyphens.
    parts = [stack.stack_name, name, *([variant.replace(".", ":")] if variant else [])]
    return stack.export_value(value, name=":".join(parts))


def followed(stack: cdk.Stack, name: str, value: str, *, variant: str) -> str:
    """Output a value of a resource that a setting may replace.

    Args:
        stack: the stack that has the resource.
        name: its name, unique in the stack.
        value: the value.
        variant: the setting that replaces the resource; another text is another output.

    Returns:
        The value, for the templates of other stacks.
    """
    output = cdk.CfnOutput(stack, name + re.sub("[^A-Za-z0-9]", "", variant).capitalize(), value=value)
    return cdk.Fn.get_stack_output(stack.stack_name, output.logical_id)
