"""`agent-memory advise`: what to expect of each option where a decision is due, and a choice among them."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from agent_memory.cli.options import Agent, Pools, StoreOptions, object_option
from agent_memory.cli.output import Output, missing_lines, table
from agent_memory.client.memory_manager import MemoryManager

_COLUMNS = {"option": 24, "expected": 8, "low": 6, "high": 6, "from": 9, "chosen": 6, "propensity": 10}


def advise(
    *,
    agent: Agent,
    pools: Pools,
    type_: Annotated[str, typer.Option("--type", metavar="TYPE", help="The type of the decision that is due.")],
    context: Annotated[dict[str, Any], object_option("--context", "The situation, as it will be logged.")],
    option: Annotated[list[str], typer.Option(metavar="TEXT", help="What can be chosen; repeatable.")],
    choice: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where decisions name the option, as reasoning.strategy."),
    ] = None,
    choose: Annotated[
        str | None, typer.Option(metavar="RULE", help="thompson or greedy; without it nothing is chosen.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="How many options to choose.")] = 1,
    exploration: Annotated[
        float, typer.Option(min=0, max=1, metavar="P", help="With greedy, how often to choose another one.")
    ] = 0.1,
    seed: Annotated[str | None, typer.Option(metavar="TEXT", help="The same one leads to the same choice.")] = None,
    recent: Annotated[
        bool, typer.Option("--recent", help="Count the results since the last nightly job, too.")
    ] = False,
    where: StoreOptions,
    output: Output,
) -> int:
    """Print what to expect of each option, from what the nightly job has learned, and choose one where asked.

    --json also prints the patterns about each option, and `log_with`, the arguments to log the decision with.
    """
    memory = MemoryManager(agent, stores=where.connection(), pools=pools.names).sync
    found = memory.advise(
        type_,
        context,
        option,
        choice=choice,
        choose=choose,
        count=count,
        exploration=exploration,
        seed=seed,
        recent=recent,
    )
    output.show(found, _lines(found))
    return 0


def _lines(found: dict[str, Any]) -> Iterator[str]:
    chosen = found["choice"] or {"chosen": (), "propensities": ()}
    propensities = {one["option"]: one["propensity"] for one in chosen["propensities"]}
    rows = (
        [
            one["option"],
            one["expected"],
            *one["interval"],
            "prior" if one["is_prior"] else "decisions",
            "yes" if one["option"] in chosen["chosen"] else "",
            propensities.get(one["option"], ""),
        ]
        for one in found["options"]
    )
    yield from table(_COLUMNS, rows, "")
    yield from missing_lines(found.get("missing", ()))
