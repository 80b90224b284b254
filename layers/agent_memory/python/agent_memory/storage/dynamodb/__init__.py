"""The stores in DynamoDB tables."""
