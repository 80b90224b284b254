"""Adapters to DynamoDB, Redis and S3, and in-memory ones, behind the Protocols in `base`."""
