"""The embedded stores: one SQLite database, and a folder of objects beside it. Nothing else runs or is installed."""
