"""What each error of AWS becomes, over every method that calls AWS and every code of the table."""

from dataclasses import replace
from datetime import date

import boto3
import pytest
from botocore import exceptions as aws
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from agent_memory.core.clock import Span, SystemClock
from agent_memory.core.errors import (
    AccessDenied,
    Conflict,
    Forbidden,
    InColdStorage,
    InvalidInput,
    TooLarge,
    Unavailable,
)
from agent_memory.core.retries import retry_conflicts
from agent_memory.model.memories import Memory
from agent_memory.model.outcomes import OutcomeUpdate
from agent_memory.ports.decisions import Link, Selection
from agent_memory.ports.memories import Access
from agent_memory.storage import aws_errors
from agent_memory.storage.aws_errors import MEANINGS, ConditionFailed, translate_error
from agent_memory.storage.dynamodb.decisions import DynamoDBDecisions
from agent_memory.storage.dynamodb.memories import DynamoDBMemories
from agent_memory.storage.dynamodb.states import DynamoDBStates
from agent_memory.storage.s3.blobs import S3Blobs
from tests.contract.samples import NOW, decision, outcome

KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
ONCE = Config(parameter_validation=False, retries={"total_max_attempts": 1})
MEMORY = Memory("hunter", "PATTERN", "p1", 0.5, {"a": 1}, NOW, NOW, 1)
NEXT = replace(MEMORY, version=2)
ONE = decision()
TWO = [decision(), decision()]

OPERATIONS = {
    "insert one": ("decisions", "put_item", lambda s: s.insert([ONE])),
    "insert several": ("decisions", "batch_execute_statement", lambda s: s.insert(TWO)),
    "first outcome": ("decisions", "update_item", lambda s: s.record_outcomes([(ONE.key, OutcomeUpdate(outcome()))])),
    "outcomes": (
        "decisions",
        "batch_execute_statement",
        lambda s: s.record_outcomes([(one.key, OutcomeUpdate(outcome())) for one in TWO]),
    ),
    "expire": ("decisions", "batch_execute_statement", lambda s: s.expire(TWO, [NOW, NOW])),
    "restore": ("decisions", "put_item", lambda s: s.restore([ONE])),
    "link": ("decisions", "batch_execute_statement", lambda s: s.link([Link(ONE.decision_id, 1, TWO[0].key)])),
    "get decision": ("decisions", "get_item", lambda s: s.get([ONE.key])),
    "get decisions": ("decisions", "batch_get_item", lambda s: s.get([one.key for one in TWO])),
    "scan decisions": ("decisions", "query", lambda s: list(s.scan(Selection("hunter", "QUERY"), Span(0, NOW)))),
    "links": ("decisions", "query", lambda s: s.links_from("hunter", ONE.decision_id, limit=5)),
    "erase decisions": ("decisions", "scan", lambda s: s.erase("hunter", dry_run=False)),
    "put memory": ("memories", "put_item", lambda s: s.put(MEMORY, after=None)),
    "replace memory": ("memories", "transact_write_items", lambda s: s.put(NEXT, after=MEMORY)),
    "remove memory": ("memories", "transact_write_items", lambda s: s.remove(NEXT, after=MEMORY)),
    "get memory": ("memories", "get_item", lambda s: s.get("hunter", "PATTERN", "p1")),
    "memories": ("memories", "query", lambda s: list(s.by_confidence("hunter", "PATTERN"))),
    "history": ("memories", "get_item", lambda s: s.history("hunter", "PATTERN", "p1")),
    "last removal": ("memories", "query", lambda s: s.last_removal("hunter", "PATTERN", "p1")),
    "changes": ("memories", "query", lambda s: s.changes("hunter", str(SystemClock().now_ms()))),
    "all versions": ("memories", "query", lambda s: list(s.all_versions("hunter", "PATTERN"))),
    "versions at a time": ("memories", "query", lambda s: s.versions_at("hunter", "PATTERN", NOW)),
    "accesses": (
        "memories",
        "update_item",
        lambda s: s.add_accesses("hunter", [Access("PATTERN", "p1", 1, NOW)], date(2026, 11, 20)),
    ),
    "put state": ("states", "put_item", lambda s: s.put("hunter", "CURRENT", {}, expected_version=0, now_ms=NOW)),
    "put states": (
        "states",
        "transact_write_items",
        lambda s: s.put("hunter", "CURRENT", {}, expected_version=0, now_ms=NOW, others={"C#1": {}}),
    ),
    "get state": ("states", "get_item", lambda s: s.get("hunter", "CURRENT")),
    "list states": ("states", "query", lambda s: s.list_by_prefix("hunter", "C#")),
    "remove state": ("states", "delete_item", lambda s: s.remove("hunter", "CURRENT")),
    "register": ("states", "update_item", lambda s: s.register("hunter", ["QUERY"], 1, NOW)),
    "registration": ("states", "get_item", lambda s: s.registration("hunter")),
    "agents": ("states", "scan", lambda s: s.agents()),
    "read object": ("blobs", "get_object", lambda s: s.read("k")),
    "read range": ("blobs", "get_object", lambda s: s.read_range("k", 0, 9)),
    "restore object": ("blobs", "restore_object", lambda s: s.restore("k")),
    "write object": ("blobs", "put_object", lambda s: s.write("k", b"")),
    "replace object": ("blobs", "put_object", lambda s: s.replace("k", b"", tag=None)),
    "list objects": ("blobs", "list_objects_v2", lambda s: s.list_keys("k")),
    "list prefixes": ("blobs", "list_objects_v2", lambda s: s.list_prefixes("k")),
    "erase objects": ("blobs", "list_object_versions", lambda s: s.erase("k", dry_run=False)),
}
CODES = {
    "ProvisionedThroughputExceededException": Unavailable,
    "ThrottlingException": Unavailable,
    "RequestLimitExceeded": Unavailable,
    "InternalServerError": Unavailable,
    "ServiceUnavailable": Unavailable,
    "TransactionInProgressException": Unavailable,
    "SlowDown": Unavailable,
    "ValidationException": InvalidInput,
    "ItemCollectionSizeLimitExceededException": Unavailable,
    "AccessDeniedException": AccessDenied,
    "AccessDenied": AccessDenied,
    "ExpiredTokenException": AccessDenied,
    "ExpiredToken": AccessDenied,
    "UnrecognizedClientException": AccessDenied,
    "InvalidAccessKeyId": AccessDenied,
    "SignatureDoesNotMatch": AccessDenied,
    "ResourceNotFoundException": Unavailable,
    "NoSuchBucket": Unavailable,
    "KMSAccessDeniedException": Unavailable,
    "KMS.DisabledException": Unavailable,
    "InaccessibleEncryptionCredentialsException": Unavailable,
    "TransactionConflictException": Conflict,
    "SomethingNewException": Unavailable,
}
CONDITIONAL = {"put memory", "insert one", "first outcome", "restore", "accesses", "put state"}
TRANSACTIONS = {"replace memory", "remove memory", "put states"}


@pytest.fixture(scope="module")
def clients():
    """Clients that try once."""
    return {service: boto3.client(service, config=ONCE, **KEYS) for service in ("dynamodb", "s3")}


@pytest.fixture
def stub(clients):
    """Stores on stubbed clients: `stub(store, method, code)` lets the next calls of a method fail."""
    dynamodb, s3 = clients["dynamodb"], clients["s3"]
    stores = {
        "decisions": DynamoDBDecisions(dynamodb, "try"),
        "memories": DynamoDBMemories(dynamodb, "try"),
        "states": DynamoDBStates(dynamodb, "try"),
        "blobs": S3Blobs(s3, "try-archive"),
    }

    with Stubber(s3) as objects, Stubber(dynamodb) as tables:

        def fail(store, method, code, *, times=1, message="why", **more):
            stubber = objects if store == "blobs" else tables
            for _ in range(times):
                stubber.add_client_error(method, code, message, modeled_fields=more or None)
            return stores[store]

        yield fail


@pytest.fixture(autouse=True)
def quick_conflicts(monkeypatch):
    """Conflicts are retried twice, at once."""
    from tenacity import stop_after_attempt, wait_none

    from agent_memory.core import retries

    quick = retries._conflicts().copy(stop=stop_after_attempt(2), wait=wait_none())
    monkeypatch.setattr(retries, "_conflicts", lambda: quick)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_code_of_each_call_is_the_error_of_the_table(stub, operation):
    store, method, call = OPERATIONS[operation]
    for code, kind in CODES.items():
        times = 2 if operation == "accesses" and kind is Conflict else 1  # a conflict is retried there
        with pytest.raises(kind) as raised:
            call(stub(store, method, code, times=times))
        assert type(raised.value) is kind, code
        assert "try" in str(raised.value), "the message names table or bucket"
        assert getattr(raised.value, "field", "none") != ""


@pytest.mark.parametrize("operation", sorted(CONDITIONAL | TRANSACTIONS))
def test_a_failed_condition_never_reaches_the_caller(stub, operation):
    store, method, call = OPERATIONS[operation]
    code, more = "ConditionalCheckFailedException", {}
    if operation in TRANSACTIONS:
        code, more = "TransactionCanceledException", reasons("None", "ConditionalCheckFailed")
    try:
        call(stub(store, method, code, **more))
    except Conflict as error:
        assert store in ("memories", "states")
        assert isinstance(error.__cause__, ConditionFailed)


def reasons(*codes, message="why"):
    listed = [{"Code": code, "Message": message} for code in codes]
    return {"CancellationReasons": listed} if listed else {}


@pytest.mark.parametrize("operation", sorted(TRANSACTIONS))
@pytest.mark.parametrize(
    ("codes", "message", "kind"),
    [
        (("ThrottlingError", "None"), "", Unavailable),
        (("None", "ProvisionedThroughputExceeded"), "", Unavailable),
        (("ThrottlingError", "ProvisionedThroughputExceeded"), "", Unavailable),
        (("ValidationError", "None"), "a value is invalid", InvalidInput),
        (("None", "ValidationError"), "Item size to update has exceeded the maximum allowed size", TooLarge),
        (("ItemCollectionSizeLimitExceeded", "None"), "", Unavailable),
        (("TransactionConflict", "None"), "", Conflict),
        (("ThrottlingError", "ConditionalCheckFailed"), "", Conflict),
        (("AccessDenied", "None"), "", AccessDenied),
        (("None", "None"), "", Unavailable),
        ((), "", Unavailable),
    ],
)
def test_a_cancelled_transaction_is_what_its_reasons_say(stub, operation, codes, message, kind):
    store, method, call = OPERATIONS[operation]
    with pytest.raises(kind) as raised:
        call(stub(store, method, "TransactionCanceledException", **reasons(*codes, message=message)))
    assert type(raised.value) is kind


def test_reasons_are_read_from_the_message_where_they_are_nowhere_else(stub):
    message = (
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
    )
    store, method, call = OPERATIONS["replace memory"]
    with pytest.raises(Conflict):
        call(stub(store, method, "TransactionCanceledException", message=message))


def test_throttled_changes_are_not_repeated_as_if_another_writer_came_first(stub):
    store, method, call = OPERATIONS["replace memory"]
    throttled = stub(store, method, "TransactionCanceledException", **reasons("None", "ThrottlingError"))
    with pytest.raises(Unavailable):
        retry_conflicts(lambda: call(throttled))  # a second call would find nothing stubbed


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_row_of_the_table_is_raised_as_it_says(code):
    kind, _ = MEANINGS[code]
    for suffix in ("", "Exception", "Error"):
        error = ClientError({"Error": {"Code": code + suffix, "Message": "m"}}, "PutItem")
        assert type(translate_error(error, "DynamoDB", "try-t")) is kind


@pytest.mark.parametrize(
    "message",
    [
        "Item size has exceeded the maximum allowed size",
        "Item size to update has exceeded the maximum allowed size",
        "Collection size has exceeded the limit",
        "Size of hashkey has exceeded the maximum size limit of2048 bytes",
    ],
)
def test_dynamodb_s_messages_about_size_are_too_large(message):
    error = ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "PutItem")
    assert type(translate_error(error, "DynamoDB", "t")) is TooLarge


@pytest.mark.parametrize(
    "message", ["The provided key element does not match the schema", "The table does not have the specified index: x"]
)
def test_a_table_of_another_program_is_no_fault_of_the_record(message):
    error = ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "PutItem")
    assert type(translate_error(error, "DynamoDB", "t")) is Unavailable


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (aws.NoCredentialsError(), AccessDenied, "AWS_PROFILE"),
        (aws.PartialCredentialsError(provider="env", cred_var="x"), AccessDenied, "AWS_ACCESS_KEY_ID"),
        (aws.TokenRetrievalError(provider="sso", error_msg="expired"), AccessDenied, "AWS_PROFILE"),
        (aws.UnauthorizedSSOTokenError(), AccessDenied, "AWS_PROFILE"),
        (aws.EndpointConnectionError(endpoint_url="https://x"), Unavailable, "EndpointConnectionError"),
        (aws.ReadTimeoutError(endpoint_url="https://x"), Unavailable, "ReadTimeoutError"),
        (aws.NoRegionError(), InvalidInput, "AWS_DEFAULT_REGION"),
        (ResponseParserError("<html>"), Unavailable, "AWS_ENDPOINT_URL"),
    ],
)
def test_what_botocore_raises_without_an_answer(error, kind, says):
    translated = translate_error(error, "DynamoDB", "t")
    assert type(translated) is kind
    assert says in str(translated)


def test_missing_permissions_tables_and_buckets_say_what_to_do(stub):
    for operation, code, says in [
        ("insert one", "AccessDeniedException", "dynamodb:PutItem"),
        ("write object", "AccessDenied", "s3:PutObject"),
        ("get state", "ResourceNotFoundException", "AGENT_MEMORY_TABLE_PREFIX"),
        ("read object", "NoSuchBucket", "AGENT_MEMORY_ARCHIVE_BUCKET"),
        ("read object", "PermanentRedirect", "AWS_DEFAULT_REGION"),
        ("get memory", "ExpiredTokenException", "expired"),
    ]:
        store, method, call = OPERATIONS[operation]
        with pytest.raises(Unavailable, match=says) as raised:
            call(stub(store, method, code))
        assert isinstance(raised.value, Forbidden) is (CODES.get(code) is AccessDenied)


def test_an_object_that_is_missing_or_in_cold_storage_is_no_outage(stub):
    assert stub("blobs", "get_object", "NoSuchKey").read("k") is None
    with pytest.raises(InColdStorage):
        stub("blobs", "get_object", "InvalidObjectState").read("k")
    for code in ("RestoreAlreadyInProgress", "InvalidObjectState", "NoSuchKey"):
        stub("blobs", "restore_object", code).restore("k")


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("ValidationError", "Item size has exceeded the maximum allowed size", TooLarge),
        ("ValidationError", "a value is invalid", InvalidInput),
        ("AccessDenied", "no", AccessDenied),
        ("ResourceNotFound", "no", Unavailable),
    ],
)
def test_each_error_of_a_statement_is_the_error_of_the_table(code, message, kind):
    class Client:
        def batch_execute_statement(self, Statements):  # noqa: N803  boto3's own name
            return {"Responses": [{"Error": {"Code": code, "Message": message}} for _ in Statements]}

    with pytest.raises(kind) as raised:
        DynamoDBDecisions(Client(), "try").insert(TWO)
    assert type(raised.value) is kind


def test_throttled_statements_are_repeated_alone():
    calls = []

    class Client:
        def batch_execute_statement(self, Statements):  # noqa: N803  boto3's own name
            calls.append(len(Statements))
            throttled = {"Error": {"Code": "ThrottlingError", "Message": ""}}
            return {"Responses": [throttled if len(calls) == 1 and n else {} for n, _ in enumerate(Statements)]}

    DynamoDBDecisions(Client(), "try").insert(TWO)
    assert calls == [2, 1]


# --- settings ------------------------------------------------------------------------------------


@pytest.fixture
def bare_environment(monkeypatch, tmp_path):
    """No AWS setting at all."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return monkeypatch


def constructors():
    from agent_memory import AgentMemoryClient, AWSMemoryClients, open_stores

    return {
        "stores": open_stores,
        "dynamodb": AWSMemoryClients.get_dynamodb_client,
        "s3": AWSMemoryClients.get_s3_client,
        "client": lambda: AgentMemoryClient("https://api.example", "hunter"),
    }


def test_without_a_region_the_constructor_says_which_variable_to_set(bare_environment):
    with pytest.raises(InvalidInput, match="AWS_DEFAULT_REGION") as raised:
        constructors()["stores"]()
    assert raised.value.field == "region"


@pytest.mark.parametrize("name", ["stores", "dynamodb", "s3", "client"])
def test_an_unknown_profile_is_refused_by_every_constructor(bare_environment, name):
    bare_environment.setenv("AWS_PROFILE", "typo")
    with pytest.raises(InvalidInput, match="AWS_PROFILE") as raised:
        constructors()[name]()
    assert raised.value.field == ("session" if name == "client" else "profile")


def test_an_endpoint_that_is_no_address_is_refused(bare_environment):
    bare_environment.setenv("AWS_ENDPOINT_URL", "localhost")
    bare_environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(InvalidInput, match="AWS_ENDPOINT_URL"):
        constructors()["stores"]()


def test_the_command_says_it_in_one_line(bare_environment, capsys):
    from agent_memory.cli import main

    bare_environment.setenv("AWS_PROFILE", "typo")
    assert main(["verify", "--agent", "hunter", "--bucket", "b"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "AWS_PROFILE" in line


def test_the_table_has_every_error_that_the_services_document():
    """botocore's models name the modelled errors of each operation that the stores call."""
    dynamodb = boto3.client("dynamodb", **KEYS).meta.service_model
    called = {"".join(part.title() for part in method.split("_")) for _, method, _ in OPERATIONS.values()}
    known = {*MEANINGS, "ConditionalCheckFailed", "TransactionCanceled", "DuplicateItem", "IdempotentParameterMismatch"}
    for name in called & set(dynamodb.operation_names):
        for shape in dynamodb.operation_model(name).error_shapes:
            assert aws_errors._plain_code(shape.error_code or shape.name) in known, shape.name
