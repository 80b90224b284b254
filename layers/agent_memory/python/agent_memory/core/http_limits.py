"""What one HTTP request and reply may carry; the service and the client keep to the same numbers.

AWS Lambda takes an event of 6 MB (6,291,456 bytes) and returns as much. API Gateway puts the body into that event as a
JSON text, in which each quote and backslash costs a byte more and the request's headers have their place, too.
"""

_LAMBDA_BYTES = 6 * 1024 * 1024
_ENVELOPE_BYTES = 16 * 1024  # API Gateway lets headers have 10,240 bytes; its own account of a request takes some 2,000

MAX_BATCH = 100
"""Decisions or outcomes in one request."""

MAX_BODY_BYTES = 5_500_000
"""Bytes of a request's body, so that a decision of 5 MB has room for 775,000 quotes and backslashes in the event.

A body with more of them is refused by API Gateway itself, with 413 as well.
"""

MAX_CARRIED_BYTES = _LAMBDA_BYTES - _ENVELOPE_BYTES
"""Bytes that `carried_bytes` may count of a body: what fits into an event or a reply of Lambda."""


def carried_bytes(text: str) -> int:
    """Bytes that a JSON text takes as a text inside another JSON text."""
    return len(text.encode("utf-8", "surrogatepass")) + text.count('"') + text.count("\\")
