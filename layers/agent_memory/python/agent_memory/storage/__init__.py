"""The implementations of `ports`: DynamoDB, Redis, S3, Parquet files, and stores in memory."""
