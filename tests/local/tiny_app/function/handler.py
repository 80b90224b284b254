"""Writes an item and an object with the function's own role, and returns the caller."""

import json
import os
from typing import Any

import boto3
from greeting import GREETING


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request."""
    insert = f"""INSERT INTO "{os.environ["TABLE"]}" VALUE {{'pk': 'from', 'sk': 'function'}}"""
    boto3.client("dynamodb").batch_execute_statement(Statements=[{"Statement": insert}])
    boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key="decisions/one", Body=b"1")
    caller = event["requestContext"]["authorizer"]["iam"]["userArn"]
    return {"statusCode": 200, "body": json.dumps({"greeting": GREETING, "caller": caller})}
