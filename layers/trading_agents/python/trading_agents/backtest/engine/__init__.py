"""The trading engine: from bars over votes to trades, with and without memory."""
