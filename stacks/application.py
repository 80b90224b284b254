"""The app: its stacks, and what each of them gets from the others."""

import os
import sys
from dataclasses import dataclass

import aws_cdk as cdk

from stacks.api_stack import ApiStack
from stacks.archive_query_stack import ArchiveQueryStack
from stacks.audit_stack import AuditStack
from stacks.cache_stack import CacheStack
from stacks.config import ConfigError, DeployConfig, deprecations
from stacks.gateway_stack import GatewayStack
from stacks.monitored import MonitoredStacks
from stacks.nightly_stack import NightlyStack
from stacks.operations_stack import OperationsStack
from stacks.regions import lacks_node_type
from stacks.storage_stack import StorageStack

_NODE_TYPES = ("cache.t4g.micro", "cache.t3.micro", "cache.m7g.large", "cache.m6g.large")  # the cheapest first


@dataclass(frozen=True, slots=True)
class Stacks:
    """All stacks of one deployment."""

    storage: StorageStack
    cache: CacheStack | None
    api: ApiStack
    nightly: NightlyStack
    query: ArchiveQueryStack
    operations: OperationsStack
    audit: AuditStack | None
    gateway: GatewayStack | None


def add_stacks(app: cdk.App, config: DeployConfig, *, default_region: str | None = None) -> Stacks:
    """Add a deployment's stacks to an app; `default_region` is deployed to where the settings name none."""
    storage = StorageStack(app, config=config)
    cache = CacheStack(app, config=config, storage=storage) if config.cache else None
    api = ApiStack(app, config=config, storage=storage, cache=cache)
    nightly = NightlyStack(app, config=config, storage=storage, cache=cache)
    query = ArchiveQueryStack(app, config=config, storage=storage)
    operations = OperationsStack(app, config=config, stacks=MonitoredStacks(storage, cache, api, nightly))
    audit = AuditStack(app, config=config, storage=storage) if config.audit_trail != "off" else None
    gateway = GatewayStack(app, config=config, storage=storage, cache=cache) if config.gateway_agents else None
    _say_what_stays(operations, config)
    if cache is not None and not config.is_local:
        _warn_of_node_type(cache, config, config.region or default_region)
    return Stacks(storage, cache, api, nightly, query, operations, audit, gateway)


def _say_what_stays(stack: cdk.Stack, config: DeployConfig) -> None:
    """Name the stacks that a setting turns off: CDK leaves a stack that is no longer in the app where it is."""
    off = {
        "cache": not config.cache,
        "audit_trail": config.audit_trail == "off" and not config.is_local,
        "gateway_agents": not config.gateway_agents and not config.is_local,
    }
    for setting, name in (("cache", "cache"), ("audit_trail", "audit"), ("gateway_agents", "gateway")):
        if off[setting]:
            cdk.Annotations.of(stack).add_info(
                f"{setting} is off. If it was on before, its stack {config.prefix}-{name} is still there and billed. "
                "After this deployment, remove it with: "
                f"aws cloudformation delete-stack --stack-name {config.prefix}-{name}"
            )


def _warn_of_node_type(stack: cdk.Stack, config: DeployConfig, region: str | None) -> None:
    """Warn, and not refuse: AWS adds types of nodes to regions, and the table of them is of a day."""
    if region is not None and lacks_node_type(region, config.cache_node_type):
        cdk.Annotations.of(stack).add_warning_v2(
            "agent-memory:cache_node_type",
            f"cache_node_type: {config.cache_node_type} is not in the price list of ElastiCache in {region}, so that "
            f"{stack.stack_name} would probably fail. Choose a type that is, "
            f"{' or '.join(one for one in _NODE_TYPES if not lacks_node_type(region, one))}, or set cache=off.",
        )


def build_app() -> cdk.App:
    """Build the app from the CDK context; an invalid setting ends the program with a message."""
    app = cdk.App()
    context = app.node.get_all_context()
    region = os.environ.get("CDK_DEFAULT_REGION")
    for message in deprecations(context):
        print(message, file=sys.stderr)
    try:
        config = DeployConfig.from_context(context, default_region=region)
    except ConfigError as error:
        sys.exit(str(error))
    add_stacks(app, config, default_region=region)
    return app
