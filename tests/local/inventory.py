"""The resources in an account, listed by each service's API."""

from local.cloud import LocalCloud

# Service, operation, the list in its response, and the name of an item: a row for each kind of resource in the stacks.
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
    """Names of resources by `service operation`, without those of `cdk bootstrap`."""
    session = cloud.boto_session()
    found: dict[str, set[str]] = {}
    for service, operation, place, name in _LISTINGS:
        items = getattr(session.client(service), operation)().get(place, [])
        names = {str(one[name] if name else one) for one in items}
        found[f"{service} {operation}"] = {one for one in names if not one.startswith(_OF_THE_TOOLKIT)}
    return found


def added(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """The resources that were added, without kinds that have none."""
    return {kind: after[kind] - before[kind] for kind in after if after[kind] - before[kind]}
