"""Finds out whether a memory pays, and takes out of use one that does not.

An intruder has left a memory that tells a trader to follow every breakout. An experiment withholds it from half of the
cycles, the nightly job compares, and the memory is quarantined with all that rested on it. Needs no deployment:
`python -m examples.withhold_memory`.
"""

import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_memory import DecisionLogger, Experiment, MemoryManager, connect

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 12
# Whoever follows the intruder's memory wins less often.
RATE, RATE_WITH_MEMORY = 0.55, 0.25


def main() -> None:
    """Trade for twelve days under an experiment, and act on what it shows."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/trader.db"
        trade_under_an_experiment(url)
        act_on_what_it_shows(url)


def trade_under_an_experiment(url: str) -> None:
    """Log trades of which half are made without the memory, and let the nightly job compare them."""
    stores = connect(url)
    log, memory = DecisionLogger("trader", stores=stores).sync, MemoryManager("trader", stores=stores).sync
    memory.store_ltm("PATTERN", "follow-breakouts", {"text": "follow every breakout", "confidence": 1.0})
    experiment = Experiment("breakouts-pay", share=0.5, unit="cycle", memory_id="follow-breakouts")
    chance = random.Random(1)  # noqa: S311  not for secrets
    for cycle in range(24 * DAYS):
        at = START + timedelta(hours=cycle)
        assignment = experiment.assign(f"cycle-{cycle}")
        visible = memory.retrieve_ltm("PATTERN", assignment=assignment)
        trade = log.log_decision(
            "TRADE",
            {},
            {"strategy": "breakout" if visible else "wait"},
            assignment.metadata(),
            timestamp=at,
            memory_ids=[one["pattern_id"] for one in visible],
        )
        success = chance.random() < (RATE_WITH_MEMORY if visible else RATE)
        log.log_outcome(trade, {}, success=success, timestamp=at + timedelta(minutes=30))
    last_day = (START + timedelta(days=DAYS - 1)).date().isoformat()
    _command("nightly", "run", "--agent", "trader", "--date", last_day, "--store", url)


def act_on_what_it_shows(url: str) -> None:
    """Quarantine the memory if it costs success."""
    memory = MemoryManager("trader", stores=url).sync
    [shown] = json.loads(_command("experiments", "--json", "--store", url))["experiments"]
    low, high = shown["interval"]
    print(f"memory adds {100 * shown['uplift']:+.0f} points of success [{100 * low:+.0f}, {100 * high:+.0f}]")
    if high < 0:
        influence = memory.influence("follow-breakouts")
        print(f"{len(influence['decisions'])} decisions rest on it")
        memory.quarantine("follow-breakouts", "an experiment found that it costs success")
        is_read = any(one["pattern_id"] == "follow-breakouts" for one in memory.retrieve_ltm("PATTERN"))
        print(f"it is {'still' if is_read else 'no longer'} read")


def _command(*arguments: str) -> str:
    """The output of the command `agent-memory`."""
    command = [str(Path(sys.executable).with_name("agent-memory")), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603  its own command


if __name__ == "__main__":
    main()
