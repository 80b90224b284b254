"""The error envelope."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from agent_memory.core.fields import Described, extensible, strict


@strict
class ErrorBody(TypedDict):
    """An error."""

    code: str
    message: str
    field: NotRequired[Annotated[str, Described("JSON Pointer into the body, or the name of a parameter")]]
    request_id: NotRequired[str]
    retryable: NotRequired[Annotated[bool, Described("False where a retry within seconds does not help")]]
    retry_after_seconds: NotRequired[
        Annotated[int, Described("A time is ahead of this API's clock; the same request is accepted this much later")]
    ]


@strict
class Error(TypedDict):
    """An error response."""

    error: ErrorBody


@extensible
class GatewayError(TypedDict):
    """What API Gateway answers by itself: no or a wrong signature, too many requests, or no answer of the function."""

    message: Annotated[str, Described("As `Forbidden` or `Too Many Requests`")]
