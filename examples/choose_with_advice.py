"""An agent that asks its memory what to expect of each strategy, follows it, and logs with which probability.

Needs no deployment: `python -m examples.choose_with_advice`.
"""

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_memory import DecisionLogger, MemoryManager, connect

STRATEGIES = ["breakout", "momentum", "reversion"]
START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 10
# Momentum works in trends, reversion in ranges; breakout is a coin.
RATES = {"trending": {"momentum": 0.7, "reversion": 0.3}, "ranging": {"momentum": 0.3, "reversion": 0.7}}


def main() -> None:
    """Trade at random for ten days, let the nightly job learn, and choose by its estimates."""
    with TemporaryDirectory() as folder:
        _trade(f"sqlite:///{folder}/memory.db")


def _trade(url: str) -> None:
    stores = connect(url)
    log, memory = DecisionLogger("trader", stores=stores).sync, MemoryManager("trader", stores=stores).sync
    chance = random.Random(1)  # noqa: S311  not for secrets
    for hour in range(24 * DAYS):
        at, regime = START + timedelta(hours=hour), chance.choice(list(RATES))
        strategy = chance.choice(STRATEGIES)
        context = {"market": {"regime": regime}}
        trade = log.log_decision("TRADE", context, {"strategy": strategy}, timestamp=at, propensity=1 / len(STRATEGIES))
        success = chance.random() < RATES[regime].get(strategy, 0.5)
        log.log_outcome(trade, {}, success=success, timestamp=at + timedelta(minutes=30))
    last_day = (START + timedelta(days=DAYS - 1)).date().isoformat()
    command = Path(sys.executable).with_name("agent-memory")
    subprocess.run(  # noqa: S603  the package's own command
        [command, "nightly", "run", "--agent", "trader", "--date", last_day, "--store", url],
        check=True,
        stdout=subprocess.DEVNULL,
    )

    context = {"market": {"regime": "trending"}}
    advice = memory.advise("TRADE", context, STRATEGIES, choose="thompson", seed="cycle-1")
    for one in advice["options"]:
        low, high = one["interval"]
        print(f"{one['option']:10} {one['expected']:.2f} [{low:.2f}, {high:.2f}]")
    [strategy] = advice["choice"]["chosen"]
    log.log_decision("TRADE", context, {"strategy": strategy}, **advice["log_with"])
    print(f"chose {strategy} with probability {advice['choice']['joint_propensity']:.2f}")


if __name__ == "__main__":
    main()
