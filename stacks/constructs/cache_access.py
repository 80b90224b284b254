"""What a function needs to use the cache: a network, environment variables and permissions."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam

from stacks.cache_stack import CacheStack
from stacks.config import DeployConfig
from stacks.constructs.agent_function import AgentFunction, Network


def cache_network(config: DeployConfig, cache: CacheStack | None) -> Network | None:
    """The cache's network; None without a cache and in the local cloud, where functions run beside the cache."""
    return None if cache is None or config.is_local else Network(cache.vpc, cache.function_security_group)


def cache_environment(config: DeployConfig, cache: CacheStack | None) -> Mapping[str, str]:
    """The variables that name the cache and its user; empty without a cache."""
    if cache is None:
        return {}
    return {
        "AGENT_MEMORY_REDIS_ENDPOINT": (config.redis_endpoint or "") if config.is_local else cache.endpoint,
        "AGENT_MEMORY_REDIS_TLS": "false" if config.is_local else "true",
        "AGENT_MEMORY_REDIS_USER": "" if config.is_local else cache.user_id,
        "AGENT_MEMORY_REDIS_CACHE": "" if config.is_local else cache.name,
    }


def allow_cache(function: AgentFunction, cache: CacheStack | None) -> None:
    """Allow a function to authenticate as the cache's user."""
    if cache is not None and not function.config.is_local:
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["elasticache:Connect"], resources=cache.connectable_arns)
        )
