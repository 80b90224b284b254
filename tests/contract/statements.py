"""Runs the product's PartiQL statements as item calls.

moto's BatchExecuteStatement does not read parameters, and DynamoDB Local of January 2020 has none.

Each statement behaves as on DynamoDB: an INSERT refuses an existing key, an UPDATE a missing item or a failed
condition, and each refusal is that statement's own error.
"""

import re

from botocore.exceptions import ClientError

_INSERT = re.compile(r'INSERT INTO "(?P<table>[^"]+)" VALUE \{(?P<fields>.*)\}\Z')
_UPDATE = re.compile(
    r'UPDATE "(?P<table>[^"]+)" (?P<sets>(?:SET "\w+"=\? )+)WHERE "pk"=\? AND "sk"=\?'
    r'(?P<condition>(?: AND "\w+" IS MISSING| AND "\w+"=\?)*)\Z'
)


class StatementsAsItemCalls:
    """A DynamoDB client with a working BatchExecuteStatement."""

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
        missing = re.findall(r'"(\w+)" IS MISSING', update["condition"])
        equal = re.findall(r'"(\w+)"=\?', update["condition"])
        values, (pk, sk), compared = (
            parameters[: len(names)],
            parameters[len(names) :][:2],
            parameters[len(names) + 2 :],
        )
        conditions = ["attribute_exists(pk)", *(f"attribute_not_exists(#c{name})" for name in missing)]
        conditions += [f"#c{name} = :c{name}" for name in equal]
        self._client.update_item(
            TableName=update["table"],
            Key={"pk": pk, "sk": sk},
            UpdateExpression="SET " + ", ".join(f"#n{i} = :v{i}" for i in range(len(names))),
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeNames={f"#n{i}": name for i, name in enumerate(names)}
            | {f"#c{name}": name for name in (*missing, *equal)},
            ExpressionAttributeValues={f":v{i}": value for i, value in enumerate(values)}
            | {f":c{name}": value for name, value in zip(equal, compared, strict=True)},
        )
