"""A walk-forward backtest of whether memory helps: the engine trades, the study tests, the report presents."""
