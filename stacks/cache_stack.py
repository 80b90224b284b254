"""Cache: a VPC without internet access, and Valkey in it, whose users authenticate with IAM."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from agent_memory.storage.schema import CACHE, cache_access, cache_user
from stacks.base_stack import BaseStack
from stacks.config import DeployConfig
from stacks.constructs.acknowledge import acknowledge
from stacks.constructs.embedder_access import INVOKE, model_arn
from stacks.constructs.log_groups import log_group_for
from stacks.constructs.shared_values import followed, keep_exports
from stacks.storage_stack import StorageStack

_HTTPS_PORT = 443


class CacheStack(BaseStack):
    """The network of the functions that use the cache, and the cache.

    Attributes:
        vpc: isolated subnets in two zones; DynamoDB and S3 are reached through gateway endpoints.
        function_security_group: security group of the functions that use the cache.
        cache: the Valkey replication group.
        user_id: id and name of the functions' user of the cache.
        name: the cache's name, for other stacks.
        endpoint: the cache as "host:port", for other stacks.
    """

    def __init__(self, scope: Construct, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(
            scope, "cache", config=config, description="Agent Memory: network and short-term memory", after=[storage]
        )
        self._key = storage.key
        self.vpc = self._network(storage)
        self.function_security_group = self._function_security_group()
        if config.embedder == "bedrock":
            self._bedrock_endpoint()
        self.user_id = f"{config.prefix}-api"
        self.cache = self._valkey(self._user_group())
        # Another key replaces the cache.
        key = config.encryption_key
        address, port = self.cache.attr_primary_end_point_address, self.cache.attr_primary_end_point_port
        self.name = followed(self, "CacheName", self.cache.ref, variant=key)
        followed_address = followed(self, "CachePrimaryEndPointAddress", address, variant=key)
        self.endpoint = f"{followed_address}:{followed(self, 'CachePrimaryEndPointPort', port, variant=key)}"
        keep_exports(self, self.function_security_group.security_group_id)
        keep_exports(self, *(subnet.subnet_id for subnet in self.vpc.isolated_subnets))
        if not config.is_local:
            self._outputs(f"{address}:{port}")

    def _outputs(self, endpoint: str) -> None:
        """What an agent in the VPC needs in order to use the cache directly."""
        url = f"rediss://{self.user_id}@{endpoint}?iam={self.cache.ref}"
        cdk.CfnOutput(self, "CacheUrl", value=url, description="AGENT_MEMORY_REDIS_ENDPOINT of an agent in the VPC")
        cdk.CfnOutput(
            self,
            "CacheClientSecurityGroup",
            value=self.function_security_group.security_group_id,
            description="Security group from which the cache accepts connections",
        )
        cdk.CfnOutput(
            self,
            "CacheConnectableArns",
            value=",".join(self._connectable_arns(self.cache.ref, self.user_id)),
            description="Resources of elasticache:Connect for the role of an agent in the VPC",
        )

    def user_of(self, agent_id: str) -> str:
        """Id and name of the user of an agent that uses the cache directly, for its own keys only."""
        return cache_user(self.config.prefix, agent_id)

    def connectable_arns_of(self, agent_id: str) -> list[str]:
        """The cache and an agent's own user: the resources of the agent's `elasticache:Connect`."""
        return self._connectable_arns(self.name, self.user_of(agent_id))

    @property
    def first_node_id(self) -> str:
        """The id under which CloudWatch has the first node's metrics."""
        return f"{self.name}-001"

    def metric(self, name: str, *, statistic: str, period: cdk.Duration) -> cloudwatch.Metric:
        """One of ElastiCache's metrics of the first node."""
        return cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name=name,
            dimensions_map={"CacheClusterId": self.first_node_id},
            statistic=statistic,
            period=period,
        )

    @property
    def connectable_arns(self) -> list[str]:
        """The cache and its user: the resources of `elasticache:Connect`."""
        return self._connectable_arns(self.name, self.user_id)

    def _connectable_arns(self, cache: str, user: str) -> list[str]:
        names = (("replicationgroup", cache), ("user", user))
        return [self.format_arn(service="elasticache", resource=f"{kind}:{name}") for kind, name in names]

    def _network(self, storage: StorageStack) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)
            ],
            # Removing the default security group's rules needs a custom resource; nothing here uses that group.
            restrict_default_security_group=False,
        )
        tables = [arn for table in storage.tables for arn in (table.table_arn, f"{table.table_arn}/index/*")]
        bucket = storage.archive_arn
        for name, service, actions, resources in (
            ("DynamoDb", ec2.GatewayVpcEndpointAwsService.DYNAMODB, "dynamodb:*", tables),
            ("S3", ec2.GatewayVpcEndpointAwsService.S3, "s3:*", [bucket, f"{bucket}/*"]),
        ):
            endpoint = vpc.add_gateway_endpoint(name, service=service)
            # Whatever a role allows: no other table or bucket can be reached from this network.
            endpoint.add_to_policy(
                iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=[actions], resources=resources)
            )
        if self.config.flow_logs == "off":
            acknowledge(
                vpc,
                "AwsSolutions-VPC7",
                "The setting flow_logs is off, as in a dev stage; the network has no internet access.",
            )
        elif not self.config.is_local:  # the local cloud does not support flow logs
            self._log_traffic(vpc)
        return vpc

    def _log_traffic(self, vpc: ec2.Vpc) -> None:
        which = self.config.flow_logs
        group: logs.LogGroup = log_group_for(self, "FlowLogs", f"/vpc/{self.config.prefix}-{which}", self.config)
        vpc.add_flow_log(
            which.capitalize(),
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=ec2.FlowLogTrafficType.REJECT if which == "rejected" else ec2.FlowLogTrafficType.ALL,
        )

    def _function_security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Functions", vpc=self.vpc, description="Functions that use the cache", allow_all_outbound=False
        )
        # Only the endpoints of the VPC can be reached: the subnets have no other route.
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(_HTTPS_PORT), "DynamoDB and S3")
        return group

    def _bedrock_endpoint(self) -> None:
        """Lets the functions reach the embedder's model, and nothing else of Bedrock.

        In one zone, since each is charged by the hour; while it cannot be reached, recall ranks by words.
        """
        group = ec2.SecurityGroup(
            self, "BedrockAccess", vpc=self.vpc, description="Embeddings of Bedrock", allow_all_outbound=False
        )
        group.add_ingress_rule(self.function_security_group, ec2.Port.tcp(_HTTPS_PORT), "Functions")
        endpoint = self.vpc.add_interface_endpoint(
            "Bedrock",
            service=ec2.InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME,
            subnets=ec2.SubnetSelection(subnets=self.vpc.isolated_subnets[:1]),
            security_groups=[group],
            open=False,
        )
        endpoint.add_to_policy(
            iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=[INVOKE], resources=[model_arn(self)])
        )

    def _cache_security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "CacheAccess", vpc=self.vpc, description="Short-term memory", allow_all_outbound=False
        )
        if not self.config.is_local:  # local functions run outside the VPC
            group.add_ingress_rule(self.function_security_group, ec2.Port.tcp(CACHE.port), "Functions")
            self.function_security_group.add_egress_rule(group, ec2.Port.tcp(CACHE.port), "Cache")
        return group

    def _user_group(self) -> elasticache.CfnUserGroup:
        """A group without a `default` user, which Valkey allows: nobody connects without a token.

        A member can only be named by the group itself, so that the users of agents that use the cache directly are here
        and not in the stacks of these agents.
        """
        users = [
            self._user("User", self.user_id, cache_access()),
            *(
                self._user(f"User-{agent_id}", self.user_of(agent_id), cache_access(agent_id))
                for agent_id in self.config.direct_agent_ids
            ),
        ]
        return elasticache.CfnUserGroup(
            self,
            "Users",
            engine="valkey",
            user_group_id=f"{self.config.prefix}-users",
            user_ids=[user.ref for user in users],
        )

    def _user(self, construct_id: str, name: str, access: str) -> elasticache.CfnUser:
        return elasticache.CfnUser(
            self,
            construct_id,
            engine="valkey",
            user_id=name,
            user_name=name,  # IAM authentication requires the name to be the id
            access_string=access,
            authentication_mode={"Type": "iam"},
        )

    def _valkey(self, users: elasticache.CfnUserGroup) -> elasticache.CfnReplicationGroup:
        subnets = elasticache.CfnSubnetGroup(
            self,
            "CacheSubnets",
            description="Isolated subnets of Agent Memory",
            subnet_ids=[subnet.subnet_id for subnet in self.vpc.isolated_subnets],
        )
        has_replica = self.config.cache_nodes > 1
        cache = elasticache.CfnReplicationGroup(
            self,
            "Cache",
            replication_group_description=CACHE.description,
            engine=CACHE.engine,
            engine_version=CACHE.engine_version,
            auto_minor_version_upgrade=True,
            cache_node_type=self.config.cache_node_type,
            num_cache_clusters=self.config.cache_nodes,
            automatic_failover_enabled=has_replica,
            multi_az_enabled=has_replica,
            port=CACHE.port,
            cache_subnet_group_name=subnets.ref,
            security_group_ids=[self._cache_security_group().security_group_id],
            at_rest_encryption_enabled=True,
            kms_key_id=self._key.key_arn if self._key else None,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[users.ref],
            snapshot_retention_limit=0,  # everything in it expires within a day
        )
        _acknowledge(cache, has_replica=has_replica)
        return cache


def _acknowledge(cache: elasticache.CfnReplicationGroup, *, has_replica: bool) -> None:
    if not has_replica:
        acknowledge(
            cache,
            "AwsSolutions-AEC4",
            "One node by default: its data would expire within a day anyway, and readers fall through to the tables. "
            "The setting cache_nodes adds replicas in the second zone.",
        )
    acknowledge(
        cache,
        "AwsSolutions-AEC6",
        "Clients authenticate with IAM as the user of the user group, so there is no secret; AUTH tokens exclude that.",
    )
