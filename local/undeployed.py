"""Resources that an emulator's CloudFormation has left out without an error."""

from collections import Counter
from collections.abc import Iterable

from local.answers import REFUSALS, reason_of
from local.assembly import Stack
from local.session import LocalSession


def missing_resources(session: LocalSession, stacks: Iterable[Stack]) -> list[str]:
    """A line for each type of resource of which a deployed stack has fewer than its template."""
    return [line for stack in stacks for line in _missing_in(session, stack)]


def _missing_in(session: LocalSession, stack: Stack) -> list[str]:
    pages = session.client("cloudformation").get_paginator("list_stack_resources")
    try:
        summaries = [one for page in pages.paginate(StackName=stack.name) for one in page["StackResourceSummaries"]]
    except REFUSALS as error:
        return [f"stack {stack.name}: its resources cannot be listed: {reason_of(error)}"]
    created = {summary["LogicalResourceId"] for summary in summaries}
    missing = Counter(
        resource["Type"]
        for logical_id, resource in stack.template["Resources"].items()
        if logical_id not in created and "Condition" not in resource and not resource["Type"].startswith("AWS::CDK::")
    )
    return [f"stack {stack.name}: {count} of {kind} was not created" for kind, count in sorted(missing.items())]
