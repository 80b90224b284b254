"""moto's BatchExecuteStatement cannot read parameters; this runs our three statements as item calls on moto.

Statement by statement it does what DynamoDB does: an INSERT refuses an existing key, an UPDATE refuses a missing
item or a failed condition, and each refusal is that statement's own error.
"""

import re

from botocore.exceptions import ClientError

_INSERT = re.compile(r'INSERT INTO "(?P<table>[^"]+)" VALUE \{(?P<fields>.*)\}\Z')
_UPDATE = re.compile(
    r'UPDATE "(?P<table>[^"]+)" (?P<sets>(?:SET "\w+"=\? )+)WHERE "pk"=\? AND "sk"=\?'
    r'(?P<once> AND "success" IS MISSING AND "ttl" IS MISSING)?\Z'
)


class PartiQLOnMoto:
    """A DynamoDB client of moto's, with a BatchExecuteStatement that works."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def batch_execute_statement(self, Statements):  # noqa: N803  boto3's own name
        assert 1 <= len(Statements) <= 25, "DynamoDB takes 1 to 25 statements"
        return {"Responses": [self._execute(one["Statement"], one["Parameters"]) for one in Statements]}

    def _execute(self, statement, parameters):
        insert = _INSERT.match(statement)
        try:
            if insert:
                names = re.findall(r"'(\w+)': \?", insert["fields"])
                item = dict(zip(names, parameters, strict=True))
                self._client.put_item(
                    TableName=insert["table"], Item=item, ConditionExpression="attribute_not_exists(pk)"
                )
            else:
                self._update(_UPDATE.match(statement), parameters)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConditionalCheckFailedException", error
            return {"Error": {"Code": "DuplicateItem" if insert else "ConditionalCheckFailed"}}
        return {}

    def _update(self, update, parameters):
        assert update, "an unknown statement"
        names = re.findall(r'"(\w+)"=\?', update["sets"])
        condition = "attribute_exists(pk)"
        if update["once"]:
            condition += " AND attribute_not_exists(success) AND attribute_not_exists(#ttl)"
        *values, pk, sk = parameters
        self._client.update_item(
            TableName=update["table"],
            Key={"pk": pk, "sk": sk},
            UpdateExpression="SET " + ", ".join(f"#n{i} = :v{i}" for i in range(len(names))),
            ConditionExpression=condition,
            ExpressionAttributeNames={f"#n{i}": name for i, name in enumerate(names)}
            | ({"#ttl": "ttl"} if update["once"] else {}),
            ExpressionAttributeValues={f":v{i}": value for i, value in enumerate(values)},
        )
