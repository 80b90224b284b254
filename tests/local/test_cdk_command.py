"""What `make cdk` does around the CDK command line."""

import pytest

from local import cdk
from local.assembly import Stack
from local.layout import ROOT
from local.protection import protect


@pytest.mark.parametrize(
    ("arguments", "deploys"),
    [
        (["deploy", "--all"], True),
        (["-c", "cache=off", "deploy", "agent-memory-api"], True),
        (["deploy", "--all", "--no-execute"], False),
        (["deploy", "--all", "--method=prepare-change-set"], False),
        (["deploy", "--all", "-m", "direct"], True),
        (["diff"], False),
        (["destroy", "--all"], False),
        (["synth", "--quiet"], False),
    ],
)
def test_only_a_deployment_is_followed_by_protection(arguments, deploys):
    assert cdk._deploys(arguments) is deploys


def test_the_deployed_stacks_are_read_where_the_command_line_has_written_them(tmp_path):
    def folder(*arguments):
        return cdk._assembly(cdk._options(["deploy", "--all", *arguments]))

    assert folder() == ROOT / "cdk.out"
    assert folder("--app", "python3 app.py") == ROOT / "cdk.out"
    assert folder("--app", str(tmp_path)) == tmp_path
    assert folder("-o", "elsewhere").name == "elsewhere"
    assert cdk._options(["deploy", "--profile", "trading"]).profile == "trading"


def test_a_stack_without_tables_to_keep_is_left_as_it_is():
    class NoCalls:
        def client(self, service):
            raise AssertionError(service)

    table = {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Delete", "Properties": {"TableName": "lab"}}
    for resources in ({}, {"Lab": table}):
        stack = Stack("lab-storage", {"Resources": resources})
        assert protect(stack, NoCalls()) == []
