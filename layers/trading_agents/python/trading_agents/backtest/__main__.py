"""`python -m trading_agents.backtest`."""

import sys

from trading_agents.backtest.command import main

if __name__ == "__main__":
    sys.exit(main())
