"""The page that takes a newcomer from an empty account to the first decision and back, run in the local cloud."""

import pytest

from tests.local.doc_commands import blocks_of, check_output
from tests.local.first_deployment import PAGE, empty_cloud, run_page, screens

pytestmark = [pytest.mark.slow, pytest.mark.local_cloud]


def test_every_command_of_the_page_runs_and_prints_what_it_shows(tmp_path):
    with empty_cloud(tmp_path) as cloud:
        found = run_page(cloud, tmp_path)
        session = cloud.boto_session()
        stacks = session.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
        assert [one["StackName"] for one in stacks] == ["CDKToolkit"]
        assert session.client("dynamodb").list_tables()["TableNames"] == []
    for block, printed in found:
        check_output(block, printed)
    assert len(list(screens(found))) == PAGE.read_text().count("<!-- screen -->")


def test_few_commands_of_the_page_need_an_account_and_every_step_has_a_screen():
    blocks = blocks_of(PAGE)
    assert [block.commands.split()[0] for block in blocks if not block.runs_locally] == ["git"]
    shown = [block for block in blocks if block.expected]
    assert len(shown) == PAGE.read_text().count("<!-- screen -->") >= PAGE.read_text().count("\n## ") - 1
