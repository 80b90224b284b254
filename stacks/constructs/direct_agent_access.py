"""What an agent in the deployment's VPC needs to use tables, archive and cache itself, limited to its own keys."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from agent_memory.admin.direct_policy import direct_policy
from stacks.cache_stack import CacheStack
from stacks.config import ConfigError, DeployConfig
from stacks.constructs.acknowledge import acknowledge, quoted
from stacks.constructs.permissions import key_statement
from stacks.storage_stack import StorageStack


class DirectAgentAccess(Construct):
    """Lets the role of one agent, of a function or of an ECS task, use the stores directly.

    The policy is that of `agent_memory.admin.direct_policy`. The setting `direct_agents` has to name the agent, for it
    to have a user of the cache of its own: users and their group belong to the cache's stack.

    Attributes:
        environment: the variables with which `MemoryManager` and `DecisionLogger` find the stores.
        vpc: the network of the cache; None without a cache, and in the local cloud.
        subnets: its subnets, which reach DynamoDB, S3 and the cache, and nothing else.
        security_groups: from these the cache accepts connections; empty without a network.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        cache: CacheStack | None,
        agent_id: str,
        role: iam.IRole,
        reads: Sequence[str] = (),
        writes: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, construct_id)
        if cache is not None and agent_id not in config.direct_agent_ids and not config.is_local:
            raise ConfigError(
                f"direct_agents: {agent_id} is not in it, and without a user of the cache it has no short-term memory. "
                f"Add it: -c direct_agents={','.join([*config.direct_agent_ids, agent_id])}"
            )
        cache_arns = cache.connectable_arns_of(agent_id) if cache is not None and not config.is_local else []
        self.environment: Mapping[str, str] = {
            "AGENT_MEMORY_TABLE_PREFIX": config.prefix,
            "AGENT_MEMORY_ARCHIVE_BUCKET": storage.archive_name,
            "AGENT_MEMORY_METRICS_NAMESPACE": config.metrics_namespace,
            **_cache_variables(config, cache, agent_id),
        }
        in_network = cache is not None and not config.is_local
        self.vpc: ec2.IVpc | None = cache.vpc if cache is not None and in_network else None
        self.subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.security_groups = [cache.function_security_group] if cache is not None and in_network else []
        document = direct_policy(
            agent_id,
            decisions_arn=storage.decisions.table_arn,
            memories_arn=storage.memories.table_arn,
            states_arn=storage.states.table_arn,
            bucket_arn=storage.archive_arn,
            cache_arns=cache_arns,
            reads=reads,
            writes=writes,
        )
        statements = [iam.PolicyStatement.from_json(_evaluated(one, config)) for one in document["Statement"]]
        stack = cdk.Stack.of(self)
        if storage.key is not None:
            statements += [key_statement(storage.key, stack, service=one, writes=True) for one in ("dynamodb", "s3")]
        policy = iam.Policy(self, "Policy", statements=statements, roles=[role])
        for table in (storage.decisions, storage.memories):
            acknowledge(
                policy,
                f"AwsSolutions-IAM5[Resource::{quoted(stack, table.table_arn)}/index/*]",
                "Every index of the table, with the agent's own keys only.",
            )
        for folder in ("decisions", "large", "digests"):
            acknowledge(
                policy,
                f"AwsSolutions-IAM5[Resource::{quoted(stack, storage.archive_arn)}/{folder}/agent_id={agent_id}/*]",
                "The agent's own objects, whose keys are created at run time.",
            )


def _evaluated(statement: Mapping[str, Any], config: DeployConfig) -> dict[str, Any]:
    """The statement without conditions on leading keys in the local cloud, which never has them in a request."""
    is_on_items = statement["Sid"] in {"OwnItems", "ReadPools", "WritePools"}
    return {
        key: value for key, value in statement.items() if not (config.is_local and is_on_items and key == "Condition")
    }


def _cache_variables(config: DeployConfig, cache: CacheStack | None, agent_id: str) -> Mapping[str, str]:
    if cache is None:
        return {}
    if config.is_local:
        return {"AGENT_MEMORY_REDIS_ENDPOINT": config.redis_endpoint or ""}
    return {
        "AGENT_MEMORY_REDIS_ENDPOINT": cache.endpoint,
        "AGENT_MEMORY_REDIS_TLS": "true",
        "AGENT_MEMORY_REDIS_USER": cache.user_of(agent_id),
        "AGENT_MEMORY_REDIS_CACHE": cache.name,
    }
