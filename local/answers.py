"""What an emulator answers instead of a result, as errors of boto3 and as one line."""

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

# An answer that lacks a member, or is not even in the format of the service, is raised by botocore as it comes.
REFUSALS = (BotoCoreError, ClientError, ResponseParserError, KeyError, TypeError, ValueError)

_LENGTH = 160


def reason_of(error: Exception) -> str:
    """The error in one short line."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "?")
        return one_line(f"HTTP {status} {details.get('Message') or details.get('Code') or ''}")
    if isinstance(error, ResponseParserError | KeyError | TypeError | ValueError):
        return "the answer is not one of this service"
    return one_line(str(error))


def one_line(text: str) -> str:
    """The text without line breaks, cut (which an ellipsis shows) where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LENGTH else f"{line[: _LENGTH - 1]}…"
