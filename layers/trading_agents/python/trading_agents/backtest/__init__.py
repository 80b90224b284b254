"""A walk-forward backtest that asks whether memory helps, and says so either way."""
