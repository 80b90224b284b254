"""`agent-memory learning`: pause the learning of an agent, and take back what was learned since a day."""

import json
from datetime import date
from typing import Annotated

import typer

from agent_memory.cli.author import By, Reason
from agent_memory.cli.options import Agent, AsJson, Bucket, TablePrefix, day_option, require_bucket, stores_of
from agent_memory.nightly.learning_controls import LearningControls, read_controls
from agent_memory.nightly.rebuild import forget_learning_since

learning = typer.Typer(help="Pause the learning of an agent, or take it back.", rich_markup_mode=None)


@learning.command()
def pause(*, agent: Agent, reason: Reason, by: By, table_prefix: TablePrefix = None) -> int:
    """Learn nothing of an agent from its next nightly job on. Decisions are logged and archived as usual."""
    stores = stores_of(table_prefix, None)
    paused = LearningControls(agent, stores.states, stores.clock, by=by).pause(reason).paused or {}
    typer.echo(f"learning of {agent} is paused by {paused['by']} since {paused['at']}: {paused['reason']}")
    return 0


@learning.command()
def resume(*, agent: Agent, by: By, table_prefix: TablePrefix = None) -> int:
    """Learn again. The next nightly job makes up for the days since the pause, up to 90."""
    stores = stores_of(table_prefix, None)
    LearningControls(agent, stores.states, stores.clock, by=by).resume()
    typer.echo(f"learning of {agent} continues with the next nightly job")
    return 0


@learning.command()
def status(*, agent: Agent, table_prefix: TablePrefix = None) -> int:
    """Print whether an agent's learning is paused."""
    paused = read_controls(stores_of(table_prefix, None).states, agent).paused
    typer.echo(f"paused by {paused['by']} since {paused['at']}: {paused['reason']}" if paused else "not paused")
    return 0


@learning.command()
def rebuild(
    *,
    agent: Agent,
    since: Annotated[date, day_option("--since", "The first UTC day that is to be learned again.")],
    reason: Reason,
    by: By,
    table_prefix: TablePrefix = None,
    bucket: Bucket = None,
    as_json: AsJson = False,
) -> int:
    """Take back what nightly jobs learned since a day; the next job learns those days again, without exclusions."""
    stores = stores_of(table_prefix, require_bucket(bucket))
    receipt = forget_learning_since(agent, since, stores, by=by, reason=reason)
    if as_json:
        typer.echo(json.dumps(receipt))
        return 0
    typer.echo(
        f"{agent}: {len(receipt['reverted'])} memories as they were before {receipt['since']}, "
        f"{len(receipt['removed'])} removed that did not exist then; run the nightly job to learn again"
    )
    return 0
