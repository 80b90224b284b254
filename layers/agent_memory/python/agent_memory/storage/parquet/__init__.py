"""Decisions and evidence in Parquet files."""
