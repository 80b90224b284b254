"""Size limits of HTTP requests and responses, shared by the service and the client.

AWS Lambda limits an event and a response to 6 MB (6,291,456 bytes) each. API Gateway puts the body into the event as a
JSON string, in which every quote and backslash takes one byte more; the event also contains the request's headers.
"""

_LAMBDA_BYTES = 6 * 1024 * 1024
MAX_URL_BYTES = 10_240
"""Limit of API Gateway for the request line and the values of headers together: a longer URL cannot be sent."""
_ENVELOPE_BYTES = 16 * 1024  # request line and headers take up to 10,240, API Gateway's context about 2,000

MAX_BATCH = 100
"""Decisions or outcomes in one request."""

MAX_BODY_BYTES = 5_500_000
"""Limit of a request's body. A decision of 5 MB may thus contain 775,000 quotes and backslashes.

API Gateway itself refuses a body with more of them, also with the status 413.
"""

MAX_ESCAPED_BYTES = _LAMBDA_BYTES - _ENVELOPE_BYTES
"""Limit of a body's `escaped_size`: what fits into a Lambda event or response."""


def escaped_size(text: str) -> int:
    """Size in bytes of a JSON text as a string inside another JSON text."""
    return len(text.encode("utf-8", "surrogatepass")) + text.count('"') + text.count("\\")
