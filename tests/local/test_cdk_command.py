"""What `make cdk` does around the CDK command line."""

import json

import pytest
from moto import mock_aws

from local import cdk, protection
from local.assembly import Stack
from local.layout import ROOT
from local.protection import protect, protect_assembly


@pytest.mark.parametrize(
    ("arguments", "code", "only_again"),
    [
        (["deploy", "--all"], 0, False),
        (["-c", "cache=off", "deploy", "agent-memory-api"], 0, False),
        (["deploy", "--all", "-m", "direct"], 0, False),
        (["deploy", "--all"], 1, True),
        (["deploy", "--all", "--no-execute"], 0, True),
        (["deploy", "--all", "--method=prepare-change-set"], 0, True),
    ],
)
def test_after_a_deployment_that_failed_only_what_was_protected_is_protected(monkeypatch, arguments, code, only_again):
    calls = []
    monkeypatch.setattr(cdk, "_run", lambda *_: code)
    monkeypatch.setattr(cdk, "protect_assembly", lambda folder, **options: calls.append((folder, options)))
    with pytest.raises(SystemExit) as ended:
        cdk.main(arguments)
    assert ended.value.code == code
    assert calls == [(ROOT / "cdk.out", {"profile": None, "only_again": only_again})]


@pytest.mark.parametrize("arguments", [["diff"], ["destroy", "--all"], ["synth", "--quiet"]])
def test_only_a_deployment_is_followed_by_protection(arguments):
    assert not cdk._deploys(arguments)


class Account:
    """One deployed stack with one table, as a boto3 session and its clients."""

    def __init__(self, *, table_is_protected, status="CREATE_COMPLETE"):
        self.stack = {"StackStatus": status, "EnableTerminationProtection": False}
        self.table = {"DeletionProtectionEnabled": table_is_protected}

    def client(self, _service):
        return self

    def describe_stacks(self, **_):
        return {"Stacks": [self.stack]}

    def update_termination_protection(self, *, EnableTerminationProtection, **_):  # noqa: N803  a parameter of boto3
        self.stack["EnableTerminationProtection"] = EnableTerminationProtection

    def describe_table(self, **_):
        return {"Table": self.table}

    def update_table(self, *, DeletionProtectionEnabled, **_):  # noqa: N803  a parameter of boto3
        self.table["DeletionProtectionEnabled"] = DeletionProtectionEnabled


TABLE = {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {"TableName": "lab-state"}}


@pytest.mark.parametrize("was_protected", [True, False])
@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_is_protected_again_if_it_was_before(was_protected, status):
    stack = Stack("lab-storage", {"Resources": {"Lab": TABLE}})
    account = Account(table_is_protected=was_protected, status=status)
    assert protect(stack, account, only_again=True) == (["lab-storage"] if was_protected else [])
    assert account.stack["EnableTerminationProtection"] is was_protected
    assert protect(stack, account) == ([] if was_protected else ["lab-storage", "lab-state"])
    assert (account.stack["EnableTerminationProtection"], account.table["DeletionProtectionEnabled"]) == (True, True)


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


@pytest.mark.parametrize(("account", "is_refused"), [("210987654321", True), ("123456789012", False)])
def test_a_stack_of_another_account_is_not_taken_for_one_that_is_not_deployed(
    tmp_path, monkeypatch, account, is_refused
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    (tmp_path / "lab-storage.template.json").write_text(json.dumps({"Resources": {"Lab": TABLE}}))
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{account}/eu-central-1",
        "properties": {"templateFile": "lab-storage.template.json"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"lab-storage": artifact}}))
    with mock_aws():
        if not is_refused:
            protect_assembly(tmp_path)
            return
        with pytest.raises(SystemExit, match="in the account 210987654321, and these credentials are of 123456789012"):
            protect_assembly(tmp_path)


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-north-1"}, "eu-west-1"),
        ({}, "us-east-1"),
    ],
)
def test_the_region_is_that_into_which_the_command_line_deploys(monkeypatch, variables, region):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert protection._session(Stack("lab-storage", {}), None).region_name == region
    assert protection._session(Stack("lab-storage", {}, region="eu-central-1"), None).region_name == "eu-central-1"
