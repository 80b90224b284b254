"""The product's own CloudWatch metrics, as its functions emit them."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from agent_memory.core.metric_names import SUCCESS_RATE, Metric
from stacks.config import DeployConfig


def product_metric(
    config: DeployConfig,
    metric: Metric,
    function: str,
    *,
    statistic: str,
    period: cdk.Duration,
) -> cloudwatch.Metric:
    """A metric that a function of the deployment emits; its one dimension is the function's name without the prefix."""
    return cloudwatch.Metric(
        namespace=config.metrics_namespace,
        metric_name=metric.name,
        dimensions_map={"service": function},
        statistic=statistic,
        period=period,
    )


def success_rate_of_each_type(config: DeployConfig, *, period: cdk.Duration) -> cloudwatch.MathExpression:
    """One line for each decision type that has outcomes: the mean of the agents' success rates in percent."""
    searched = f'{{{config.metrics_namespace},service,decision_type}} MetricName="{SUCCESS_RATE.name}"'
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{searched} service=\"analytics\"', 'Average', {int(period.to_seconds())})",
        using_metrics={},
        label="",
        period=period,
    )
