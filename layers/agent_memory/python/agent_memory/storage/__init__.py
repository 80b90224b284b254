"""Adapters to DynamoDB, Redis, S3 and Parquet files, and stores in memory, behind the Protocols in `ports`."""
