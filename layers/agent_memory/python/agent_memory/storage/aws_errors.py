"""What each error of AWS becomes: one table for all services that the stores call.

A request whose condition was not met raises `ConditionFailed`, which the stores handle. All other errors become this
package's: only what is wrong with the record itself is an `InvalidInput`, so that an outage, a full table or a missing
permission never costs a record.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as aws
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from agent_memory.core.errors import AccessDenied, AgentMemoryError, Conflict, InvalidInput, TooLarge, Unavailable

AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
"""What a call of AWS may raise."""


class ConditionFailed(Exception):
    """The condition of a conditional request was not met; `item` is the stored one, if the request asked for it."""

    def __init__(self, item: dict[str, Any] | None = None) -> None:
        super().__init__("the condition of the request was not met")
        self.item = item


_THROTTLED = "it is throttled; retry later"
_BUSY = "it could not answer; retry later"
_KEY = "the KMS key that encrypts it cannot be used; enable the key, and allow these credentials to use it"
_PERMISSION = "these credentials do not permit it; allow {operation} on it in the policy of the role or user"
_EXPIRED = "the credentials have expired; sign in again, or use a role that renews them"
_UNKNOWN = "AWS does not know these credentials; check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_CLOCK = "the clock of this computer is wrong; set it"
_NO_TABLE = "there is no such table; deploy the stacks, or set AGENT_MEMORY_TABLE_PREFIX to the prefix of its name"
_NO_BUCKET = "there is no such bucket; deploy the stacks, or set AGENT_MEMORY_ARCHIVE_BUCKET to its name"
_REGION = "it is in another region; set AWS_DEFAULT_REGION to the region of the deployment"
_TOO_LARGE = "larger than the service stores; keep such data elsewhere and refer to it"
_IN_USE = "another writer is changing it; retry"

# By error code without its suffix, which differs between services and between parts of one: `ThrottlingException` of
# a request is `ThrottlingError` of a transaction and `Throttling` of other services.
MEANINGS: Mapping[str, tuple[type[AgentMemoryError], str]] = {
    **dict.fromkeys(
        (
            *("ProvisionedThroughputExceeded", "RequestLimitExceeded", "Throttling", "Throttled", "ThrottledRequest"),
            *("RequestThrottled", "TooManyRequests", "LimitExceeded", "BandwidthLimitExceeded", "SlowDown"),
            *("EC2Throttled", "PriorRequestNotComplete", "KMS.Throttling"),
        ),
        (Unavailable, _THROTTLED),
    ),
    **dict.fromkeys(
        (
            *("Internal", "InternalServer", "InternalFailure", "ServiceUnavailable", "Unavailable", "RequestTimeout"),
            *("TransactionInProgress", "OperationAborted", "ReplicatedWriteConflict", "KMS.Internal"),
            "KMS.DependencyTimeout",
        ),
        (Unavailable, _BUSY),
    ),
    **dict.fromkeys(
        (
            *("InaccessibleEncryptionCredentials", "KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound"),
            *("KMS.AccessDenied", "KMS.Disabled", "KMS.InvalidState", "KMS.KMSInvalidState", "KMS.NotFound"),
            *("KMS.KeyUnavailable", "KMSKeyNotAccessible"),
        ),
        (Unavailable, _KEY),
    ),
    **dict.fromkeys(
        (
            "403",
            "AccessDenied",
            "AccountProblem",
            "AllAccessDisabled",
            "Forbidden",
            "NotAuthorized",
            "UnauthorizedOperation",
        ),
        (AccessDenied, _PERMISSION),
    ),
    **dict.fromkeys(("ExpiredToken", "TokenRefreshRequired", "RequestExpired"), (AccessDenied, _EXPIRED)),
    **dict.fromkeys(
        (
            *("UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken", "OptInRequired"),
            *("SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature", "MissingAuthenticationToken"),
            *("AuthFailure", "InvalidSecurity", "NotSignedUp"),
        ),
        (AccessDenied, _UNKNOWN),
    ),
    "RequestTimeTooSkewed": (AccessDenied, _CLOCK),
    "RequestInTheFuture": (AccessDenied, _CLOCK),
    **dict.fromkeys(("ResourceNotFound", "TableNotFound"), (Unavailable, _NO_TABLE)),
    "NoSuchBucket": (Unavailable, _NO_BUCKET),
    **dict.fromkeys(
        ("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint", "301"),
        (Unavailable, _REGION),
    ),
    "ResourceInUse": (Unavailable, "it is being created or changed; retry later"),
    "NoSuchKey": (Unavailable, "there is no such object"),
    "InvalidObjectState": (Unavailable, "the object is in cold storage"),
    "RestoreAlreadyInProgress": (Unavailable, "the object is being restored"),
    "TransactionConflict": (Conflict, _IN_USE),
    "ConditionalRequestConflict": (Conflict, _IN_USE),
    "PreconditionFailed": (Conflict, "it was changed meanwhile; read it again"),
    **dict.fromkeys(("EntityTooLarge", "RequestEntityTooLarge", "RequestTooLarge"), (TooLarge, _TOO_LARGE)),
    # Of all items under one key, not of this one; only tables of other programs have such a limit.
    "ItemCollectionSizeLimitExceeded": (Unavailable, "the items under its key are too many together"),
    "Validation": (InvalidInput, "the service refused it as invalid"),
}
"""What each error code means: the error, and what to do. Any other code is an `Unavailable` that names the code."""

# DynamoDB has one code for all that it refuses; its message alone distinguishes an item that is too large, and a table
# that another program made, which is no fault of the item.
_TOO_LARGE_MESSAGE = re.compile(r"size.*(exceed|maximum|limit)|exceed.*size", re.IGNORECASE | re.DOTALL)
_OTHER_TABLE_MESSAGE = re.compile(r"match the schema|specified index|key schema", re.IGNORECASE)
_OTHER_TABLE = (
    "the table has other keys or indexes than this package's; set AGENT_MEMORY_TABLE_PREFIX to another prefix"
)
_TRANSIENT = frozenset({_THROTTLED, _BUSY, _IN_USE})
_REASONS_IN_MESSAGE = re.compile(r"specific reasons \[(?P<codes>[\w, ]*)\]")
_SUFFIXES = ("Exception", "Error", "Fault")
_FAILED_CONDITION = "ConditionalCheckFailed"
# Which of a transaction's reasons decides: what no retry can mend first, then what another writer did.
_DECISIVE = ("Validation", "ItemCollectionSizeLimitExceeded", _FAILED_CONDITION, "TransactionConflict")

_CREDENTIALS_ERRORS: tuple[type[Exception], ...] = (
    aws.CredentialRetrievalError,
    aws.MetadataRetrievalError,
    aws.NoAuthTokenError,
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.SSOError,
    aws.TokenRetrievalError,
)
# Settings that a client cannot be made with, and the variable to set.
_SETTINGS_ERRORS: Mapping[type[Exception], tuple[str, str]] = {
    aws.NoRegionError: ("region", "set AWS_DEFAULT_REGION, as us-east-1"),
    aws.InvalidRegionError: ("region", "set AWS_DEFAULT_REGION, as us-east-1"),
    aws.ProfileNotFound: ("profile", "set AWS_PROFILE to a profile of ~/.aws/config"),
    aws.ConfigNotFound: ("profile", "set AWS_CONFIG_FILE to the configuration file"),
    aws.ConfigParseError: ("profile", "correct ~/.aws/config"),
    aws.InvalidConfigError: ("profile", "correct the profile, or set AWS_PROFILE to another"),
}


def error_code(error: ClientError) -> str:
    """The service's error code, as `ResourceNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def meaning_of(code: str, message: str = "") -> tuple[type[AgentMemoryError], str]:
    """The error that an error code of AWS becomes, and what to do about it."""
    kind, advice = MEANINGS.get(_plain_code(code)) or MEANINGS.get(code, (Unavailable, "it refused the request"))
    if kind is InvalidInput and _TOO_LARGE_MESSAGE.search(message):
        return TooLarge, _TOO_LARGE
    if kind is InvalidInput and _OTHER_TABLE_MESSAGE.search(message):
        return Unavailable, _OTHER_TABLE
    return kind, advice


def is_transient(code: str) -> bool:
    """Whether the same request may succeed a moment later."""
    return meaning_of(code)[1] in _TRANSIENT


def is_failed_condition(code: str) -> bool:
    """Whether a statement was refused because of what is stored: its condition failed, or its key exists."""
    return _plain_code(code) in {_FAILED_CONDITION, "DuplicateItem"}


def translate_error(error: Exception, service: str, resource: str = "") -> Exception:
    """The error to raise in place of one of AWS.

    Args:
        error: one of `AWS_ERRORS`.
        service: as `DynamoDB`.
        resource: the table or bucket that the request was about.

    Returns:
        `ConditionFailed` if the condition of the request was not met, else one of this package's errors.
    """
    where = f"{service} {resource}".strip()
    if not isinstance(error, ClientError):
        return _local_error(error, where)
    code, message = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if code == "TransactionCanceledException":
        code, message = _decisive_reason(error, message)
    if _plain_code(code) == _FAILED_CONDITION:
        return ConditionFailed(_mapping(error).get("Item"))
    return service_error(code, message, where, operation=f"{service.lower()}:{error.operation_name}")


def service_error(
    code: str, message: str, where: str, *, operation: str = "the operation", field: str = "request"
) -> AgentMemoryError:
    """The error of this package for an error code and message of AWS; `where` names service, table or bucket."""
    kind, advice = meaning_of(code, message)
    advice = advice.format(operation=operation)
    if kind is InvalidInput:
        return InvalidInput(field, f"{where}: {advice}: {message or code}")
    if kind is TooLarge:
        return TooLarge(field, f"{where}: {advice}")
    return kind(f"{where}: {advice} ({code})")


@contextmanager
def translated_errors(service: str, resource: str = "") -> Iterator[None]:
    """Translate the errors that calls of a service raise inside; see `translate_error`."""
    try:
        yield
    except AWS_ERRORS as error:
        raise translate_error(error, service, resource) from error


@contextmanager
def checked_settings(argument: str | None = None) -> Iterator[None]:
    """Translate what boto3 raises where a client or session cannot be made from the environment.

    `argument` is that of the caller which would make the settings unnecessary, and is then the field of the error.

    Raises:
        InvalidInput: no region, an unknown profile; names the variable to set. AccessDenied: unusable credentials.
    """
    try:
        yield
    except BotoCoreError as error:
        is_known = isinstance(error, (*_SETTINGS_ERRORS, *_CREDENTIALS_ERRORS))
        known = _local_error(error, "AWS") if is_known else InvalidInput("aws_settings", str(error))
        if argument is not None and isinstance(known, InvalidInput):
            known = InvalidInput(argument, known.message)
        raise known from error
    except ValueError as error:  # an address that is no URL, such as AWS_ENDPOINT_URL without a scheme
        raise InvalidInput("endpoint", f"the AWS endpoint cannot be used: {error}; check AWS_ENDPOINT_URL") from error


def _local_error(error: Exception, where: str) -> AgentMemoryError:
    """The error for what botocore raises without an answer of the service."""
    for kind, (field, advice) in _SETTINGS_ERRORS.items():
        if isinstance(error, kind):
            return InvalidInput(field, f"{str(error).removesuffix('.')}; {advice}")
    if isinstance(error, _CREDENTIALS_ERRORS):
        return AccessDenied(
            f"{where}: no usable AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            f"or run with a role ({type(error).__name__})"
        )
    if isinstance(error, ResponseParserError):
        return Unavailable(f"{where} did not answer as the service does; check AWS_ENDPOINT_URL and proxies")
    if isinstance(error, aws.ParamValidationError):
        return InvalidInput("request", f"{where}: {error}")
    return Unavailable(f"{where} did not respond: {type(error).__name__}")


def _decisive_reason(error: ClientError, message: str) -> tuple[str, str]:
    """Code and message of the reason for which a transaction was cancelled; throttled parts decide only alone."""
    reasons: Sequence[Mapping[str, Any]] = _mapping(error).get("CancellationReasons") or []
    found = {str(one.get("Code")): str(one.get("Message", "")) for one in reasons}
    in_message = _REASONS_IN_MESSAGE.search(message)
    if not found and in_message:
        found = {code.strip(): message for code in in_message["codes"].split(",")}
    by_plain_code = {_plain_code(code): (code, text) for code, text in found.items() if code not in ("None", "")}
    for code in (*_DECISIVE, *by_plain_code):
        if code in by_plain_code:
            return by_plain_code[code]
    return error_code(error), message


def _mapping(error: ClientError) -> Mapping[str, Any]:
    response: Mapping[str, Any] = error.response
    return response


def _plain_code(code: str) -> str:
    for suffix in _SUFFIXES:
        code = code.removesuffix(suffix)
    return code
