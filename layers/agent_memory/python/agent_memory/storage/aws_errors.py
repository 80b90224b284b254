"""botocore's errors as this package's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from agent_memory.core.errors import InvalidInput, Unavailable

_CONDITION_CODES = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


def error_code(error: ClientError) -> str:
    """The service's code of an error, as `ResourceNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def unavailable(service: str) -> Iterator[None]:
    """Turn what a service refuses or fails to answer into `Unavailable`; failed conditions pass through.

    What it finds invalid becomes `InvalidInput`: sending it again would not help.
    """
    try:
        yield
    except ClientError as error:
        if error_code(error) in _CONDITION_CODES:
            raise
        if error_code(error) == "ValidationException":
            raise InvalidInput("request", f"{service} finds it invalid: {error}") from error
        raise Unavailable(f"{service} refused the request: {error_code(error)}") from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} did not answer: {type(error).__name__}") from error
