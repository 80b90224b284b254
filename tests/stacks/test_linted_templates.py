"""cfn-lint over every template of every deployment, for every region, with its rules for serverless applications."""

import pytest
from cfnlint.api import lint_by_config
from cfnlint.helpers import REGIONS as ALL_REGIONS

from stacks.regions import BUDGET, is_missing
from tests.stacks.conftest import DEPLOYMENTS

# Rules that the templates do not follow, and why.
NOT_FOLLOWED = {
    "W3005": "CDK makes a function depend on its role and on the role's policies; the role is in GetAtt, too.",
    "ES6000": "The one queue is itself the dead-letter queue of the schedule.",
    "ES1001": "A record that is lost after a day of failures is one decision that a metric does not count.",
    "WS1000": "Every traced request is charged; `trace_requests` turns traces on while something is looked for.",
    "ES7000": "The topic announces alarms, which stay active in CloudWatch and on the dashboard if an e-mail is lost.",
}


REGIONS = [one for one in ALL_REGIONS if not is_missing(BUDGET, one)]  # where every setting can be used


@pytest.mark.slow
@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_nothing_is_found_in_any_region(deployments, deployment):
    files = sorted(map(str, deployments(deployment).folder.glob("*.template.json")))
    found = lint_by_config(
        {
            "templates": files,
            "append_rules": ["cfn_lint_serverless.rules"],
            "ignore_checks": list(NOT_FOLLOWED),
            "regions": REGIONS,
        }
    )
    assert len(files) >= 5
    assert [str(one) for one in found] == []


def test_the_linter_would_find_something(tmp_path):
    template = tmp_path / "bad.template.json"
    template.write_text('{"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Nonsense": 1}}}}')
    rules = ["cfn_lint_serverless.rules"]
    found = lint_by_config({"templates": [str(template)], "append_rules": rules, "regions": ["eu-central-1"]})
    assert {one.rule.id for one in found} == {"E3002", "ES6000"}
