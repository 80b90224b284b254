"""Every IAM action in templates, policies for agents and pages exists, by the list of services that cfn-lint brings."""

import fnmatch
import json
import re
from importlib.resources import files

import pytest

from agent_memory.admin.agent_policy import agent_policy
from stacks import PROJECT
from tests.stacks.conftest import DEPLOYMENTS
from tests.stacks.dangerous_actions import DANGEROUS
from tests.stacks.permission_table import ENI_ACTIONS, KEY_WRITES, PERMISSIONS
from tests.stacks.templates import as_list

_SERVICES = json.loads(files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text(encoding="utf-8"))
# An action in a page, as `s3:GetObject`; other texts with a colon have no capital letter after it.
_IN_PAGES = re.compile(r"`([a-z0-9-]+:[A-Z][A-Za-z]+\*?)`")
_NO_SERVICES = {"kms:ViaService", "aws:SourceAccount", "aws:SourceArn"}  # condition keys


def exists(action):
    """Whether there is such an action, or at least one that a wildcard stands for; case does not matter."""
    service, _, name = action.lower().partition(":")
    actions = [one.lower() for one in _SERVICES.get(service, {}).get("Actions", [])]
    return bool(fnmatch.filter(actions, name))


def actions_in(value):
    """The actions of every statement, wherever it is."""
    if isinstance(value, list):
        return {action for one in value for action in actions_in(one)}
    if not isinstance(value, dict):
        return set()
    own = set(as_list(value["Action"])) if "Effect" in value and "Action" in value else set()
    return own.union(*(actions_in(one) for one in value.values()))


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_every_action_in_a_template_exists(deployments, deployment):
    templates = deployments(deployment).templates.values()
    found = {action for template in templates for action in actions_in(template.body)}
    assert len(found) > 30
    assert {one for one in found if not exists(one)} == set()


def test_every_action_of_an_agents_policy_exists():
    policy = agent_policy("arn:aws:execute-api:eu-central-1:123456789012:abc", "hunter", reads=["desk"], writes=["lab"])
    found = actions_in(policy)
    assert found
    assert {one for one in found if not exists(one)} == set()


def test_every_action_of_the_tables_of_the_tests_exists():
    held = {action for what in PERMISSIONS.values() for actions in what.values() for action in actions}
    found = {*held, *ENI_ACTIONS, *KEY_WRITES, *DANGEROUS}
    assert {one for one in found if not exists(one)} == set()


@pytest.mark.parametrize("page", sorted((PROJECT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_every_action_that_a_page_names_exists(page):
    found = set(_IN_PAGES.findall(page.read_text(encoding="utf-8"))) - _NO_SERVICES
    services = {one for one in found if one.partition(":")[0] in _SERVICES}
    assert {one for one in services if not exists(one)} == set()


def test_a_misspelt_action_would_be_found():
    assert exists("s3:GetObject")
    assert exists("sqs:*")
    assert not exists("s3:ReadObject")
    assert not exists("dynamodb:Put")
    assert not exists("nosuchservice:Get")
    statement = {"Effect": "Allow", "Action": ["s3:ReadObject", "s3:GetObject"], "Resource": "*"}
    assert actions_in({"a": [{"Statement": [statement]}]}) == {"s3:ReadObject", "s3:GetObject"}
