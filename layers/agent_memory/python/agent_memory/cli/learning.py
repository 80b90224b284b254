"""`agent-memory learning`: pause the learning of an agent, and take back what was learned since a day."""

from datetime import date
from typing import Annotated

from agent_memory.cli.author import Author, Change
from agent_memory.cli.groups import Commands
from agent_memory.cli.options import Agent, StoreOptions, day_option
from agent_memory.cli.output import Output
from agent_memory.memory.learning_controls import LearningControls, read_controls
from agent_memory.nightly.rebuild import forget_learning_since

learning = Commands("Pause the learning of an agent, or take it back.")


@learning.command()
def pause(*, agent: Agent, change: Change, where: StoreOptions, output: Output) -> int:
    """Learn nothing of an agent from its next nightly job on. Decisions are logged and archived as usual."""
    stores = where.stores()
    paused = LearningControls(agent, stores.states, stores.clock, by=change.by).pause(change.reason).paused or {}
    output.show(
        {"agent_id": agent, "paused": paused},
        [f"learning of {agent} is paused by {paused['by']} since {paused['at']}: {paused['reason']}"],
    )
    return 0


@learning.command()
def resume(*, agent: Agent, author: Author, where: StoreOptions, output: Output) -> int:
    """Learn again. The next nightly job makes up for the days since the pause, up to 90."""
    stores = where.stores()
    LearningControls(agent, stores.states, stores.clock, by=author.by).resume()
    output.show({"agent_id": agent, "paused": None}, [f"learning of {agent} continues with the next nightly job"])
    return 0


@learning.command()
def status(*, agent: Agent, where: StoreOptions, output: Output) -> int:
    """Print whether an agent's learning is paused."""
    paused = read_controls(where.stores().states, agent).paused
    line = f"paused by {paused['by']} since {paused['at']}: {paused['reason']}" if paused else "not paused"
    output.show({"agent_id": agent, "paused": paused}, [line])
    return 0


@learning.command()
def rebuild(
    *,
    agent: Agent,
    since: Annotated[date, day_option("--since", "The first UTC day that is to be learned again.")],
    change: Change,
    where: StoreOptions,
    output: Output,
) -> int:
    """Take back what nightly jobs learned since a day; the next job learns those days again, without exclusions."""
    stores = where.stores(needs_bucket=True)
    receipt = forget_learning_since(agent, since, stores, by=change.by, reason=change.reason)
    line = (
        f"{agent}: {len(receipt['reverted'])} memories as they were before {receipt['since']}, "
        f"{len(receipt['removed'])} removed that did not exist then; run the nightly job to learn again"
    )
    output.show(receipt, [line])
    return 0
