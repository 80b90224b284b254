"""What there is in an account, service by service, as the services' own APIs tell."""

from local.cloud import LocalCloud

# Service, operation, where its answer lists things, and what names one. A row for every kind that the stacks make.
_LISTINGS = (
    ("apigatewayv2", "get_apis", "Items", "Name"),
    ("athena", "list_work_groups", "WorkGroups", "Name"),
    ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("dynamodb", "list_tables", "TableNames", None),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups", "CacheSubnetGroupName"),
    ("elasticache", "describe_replication_groups", "ReplicationGroups", "ReplicationGroupId"),
    ("elasticache", "describe_user_groups", "UserGroups", "UserGroupId"),
    ("elasticache", "describe_users", "Users", "UserId"),
    ("glue", "get_databases", "DatabaseList", "Name"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sqs", "list_queues", "QueueUrls", None),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
)
_OF_THE_TOOLKIT = ("cdk-hnb659fds-", "CDKToolkit")


def inventory(cloud: LocalCloud) -> dict[str, set[str]]:
    """Names by `service operation`; what `cdk bootstrap` made is left out."""
    session = cloud.boto_session()
    found: dict[str, set[str]] = {}
    for service, operation, place, name in _LISTINGS:
        told = getattr(session.client(service), operation)().get(place, [])
        names = {str(one[name] if name else one) for one in told}
        found[f"{service} {operation}"] = {one for one in names if not one.startswith(_OF_THE_TOOLKIT)}
    return found


def added(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """What came since, without the kinds of which there is no more than before."""
    return {kind: after[kind] - before[kind] for kind in after if after[kind] - before[kind]}
