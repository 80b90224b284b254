"""`python -m trading_agents.backtest`."""

import sys

from agent_memory.core.extras import MissingExtra, needs_extra

if __name__ == "__main__":
    try:
        with needs_extra("backtest"):
            from trading_agents.backtest.command import main
    except MissingExtra as error:
        sys.exit(f"trading_agents.backtest: {error}")
    sys.exit(main())
