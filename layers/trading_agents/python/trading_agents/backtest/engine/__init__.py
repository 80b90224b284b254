"""The trading engine: from bars to signals or votes, and on to trades, with and without memory."""
