"""Log groups to which services deliver logs, and the level of the functions' logs."""

import pytest

from tests.stacks.conftest import DEPLOYMENTS, synthesize

# Properties that hold the ARN of a log group to which a service delivers logs without a role.
_DELIVERED = {
    "AWS::ApiGatewayV2::Stage": lambda p: [p["AccessLogSettings"]["DestinationArn"]],
    "AWS::StepFunctions::StateMachine": lambda p: [
        one["CloudWatchLogsLogGroup"]["LogGroupArn"] for one in p["LoggingConfiguration"]["Destinations"]
    ],
}
# Types that have such logs, too, if they are ever used so: then they belong into the table above.
_LOG_PROPERTIES = ("LogDeliveryConfigurations", "LoggingConfig", "LogDestination", "CloudWatchLogsLogGroupArn")
_BY_A_ROLE = {"AWS::Lambda::Function", "AWS::EC2::FlowLog"}


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_log_groups_of_delivered_logs_are_exempt_from_the_accounts_resource_policy(deployments, deployment):
    found = 0
    for template in deployments(deployment).templates.values():
        for kind, arns in _DELIVERED.items():
            for properties in template.properties(kind):
                for arn in arns(properties):
                    group = template.resources[arn["Fn::GetAtt"][0]]
                    assert group["Properties"]["LogGroupName"].startswith("/aws/vendedlogs/")
                    assert group["DeletionPolicy"] == "Delete"
                    found += 1
    assert found == 2


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_no_other_resource_delivers_logs(deployments, deployment):
    others = {
        resource["Type"]
        for template in deployments(deployment).templates.values()
        for resource in template.resources.values()
        if any(name in resource.get("Properties", {}) for name in _LOG_PROPERTIES)
    }
    assert others <= _BY_A_ROLE


@pytest.mark.parametrize(
    ("setting", "lambdas"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("WARNING", "INFO"), ("ERROR", "INFO")]
)
def test_lambda_drops_neither_what_the_setting_asks_for_nor_metrics(tmp_path, setting, lambdas):
    """Metrics are lines without a level, which Lambda rates as INFO; the function's logger drops the rest."""
    templates = synthesize(tmp_path, log_level=setting, cache="off").templates
    functions = [one for template in templates.values() for one in template.properties("AWS::Lambda::Function")]
    assert len(functions) == 7
    for one in functions:
        assert one["LoggingConfig"]["ApplicationLogLevel"] == lambdas
        assert one["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == setting
