"""The app: its stacks, and what each of them gets from the others."""

import sys
from dataclasses import dataclass

import aws_cdk as cdk

from stacks.api_stack import ApiStack
from stacks.archive_query_stack import ArchiveQueryStack
from stacks.audit_stack import AuditStack
from stacks.cache_stack import CacheStack
from stacks.config import ConfigError, DeployConfig, deprecations
from stacks.monitored import MonitoredStacks
from stacks.nightly_stack import NightlyStack
from stacks.operations_stack import OperationsStack
from stacks.storage_stack import StorageStack


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


def add_stacks(app: cdk.App, config: DeployConfig) -> Stacks:
    """Add a deployment's stacks to an app."""
    storage = StorageStack(app, config=config)
    cache = CacheStack(app, config=config, storage=storage) if config.cache else None
    api = ApiStack(app, config=config, storage=storage, cache=cache)
    nightly = NightlyStack(app, config=config, storage=storage, cache=cache)
    query = ArchiveQueryStack(app, config=config, storage=storage)
    operations = OperationsStack(app, config=config, stacks=MonitoredStacks(storage, cache, api, nightly))
    audit = AuditStack(app, config=config, storage=storage) if config.audit_trail != "off" else None
    return Stacks(storage, cache, api, nightly, query, operations, audit)


def build_app() -> cdk.App:
    """Build the app from the CDK context; an invalid setting ends the program with a message."""
    app = cdk.App()
    context = app.node.get_all_context()
    for message in deprecations(context):
        print(message, file=sys.stderr)
    try:
        config = DeployConfig.from_context(context)
    except ConfigError as error:
        sys.exit(str(error))
    add_stacks(app, config)
    return app
