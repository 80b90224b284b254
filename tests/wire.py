"""Sends what the OpenAPI document allows, and what it does not, to the routes, and counts where the two disagree.

    python -m tests.wire 5000

prints cases, server errors and disagreements as JSON. The routes run in this process, on stores in memory.
"""

import json
import sys
from http import HTTPStatus
from itertools import count
from unittest.mock import patch
from urllib.parse import unquote

from agent_memory.api import deployment as api
from agent_memory.api import openapi
from agent_memory.api.deployment import Deployment
from agent_memory.api.entry import resolve
from agent_memory.api.observability import metrics
from agent_memory.core.clock import FixedClock, SystemClock
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import Context, http_event

# What a document cannot say, such as that a range begins before it ends, is left to the tests of each rule; signatures
# are checked by API Gateway, which is not part of this.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
)
_LISTED = 20


def run(cases: int, seed: int = 0) -> dict:
    """Try about so many cases, with hypothesis seeded; counts, and up to twenty disagreements with their requests."""
    document = openapi.document()
    operations = sum(map(len, document["paths"].values()))
    served = Deployment(in_memory_stores(FixedClock(SystemClock().now_ms())))
    tried, server_errors, disagreements = 0, 0, {}
    with patch.object(api, "deployment", lambda: served):
        for recorder in _until(cases, document, max(1, cases // operations), seed):
            answers = [one.response for one in recorder.interactions.values()]
            tried += len(answers)
            server_errors += len([one for one in answers if one is None or one.status_code >= 500])
            _collect(recorder, disagreements)
    listed = list(disagreements.values())
    return {
        "cases": tried,
        "server_errors": server_errors,
        "disagreements": len(listed),
        "examples": listed[:_LISTED],
    }


def _until(cases, document, examples, seed):
    """Recorded requests: of the boundaries in the document, then as many at random as are missing."""
    tried = 0
    for round_of in count():
        phase = "fuzzing" if round_of else "coverage"
        for recorder in _recorders(document, phase, examples, seed + round_of):
            tried += len(recorder.interactions)
            yield recorder
            if tried >= cases and round_of:
                return


def _recorders(document, phase, examples, seed):
    """The recorded requests of each operation in a phase."""
    # Takes seconds to import, which collecting the tests should not.
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    phases = {name: {"enabled": name == phase} for name in ("examples", "coverage", "fuzzing", "stateful")}
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "generation": {"max-examples": examples, "database": "none", "allow-x00": True},
            "phases": phases,
            "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
        }
    )
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = application
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            yield event.recorder
        elif isinstance(event, events.NonFatalError):
            raise event.value
        elif isinstance(event, events.FatalError):
            raise event.exception


def _collect(recorder, disagreements):
    """Disagreements of one kind at one operation count once; the first is kept."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            interaction = recorder.interactions[case_id]
            status = interaction.response.status_code if interaction.response else None
            disagreements.setdefault(
                (recorder.label, check.name, status),
                {
                    "operation": recorder.label,
                    "check": check.name,
                    "status": status,
                    "why": str(check.failure_info.failure)[:600],
                    "request": f"{interaction.request.method} {interaction.request.uri}"[:400],
                    "body": _start(interaction.request.body),
                    "answer": _start(interaction.response.content if interaction.response else None),
                },
            )


def _start(body):
    return body[:300].decode("utf-8", "replace") if body else None


def application(environ, start_response):
    """The routes as a WSGI application. In API Gateway's place it refuses what has no signature, but checks none."""
    size = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(size) if size else b""
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    if "HTTP_AUTHORIZATION" not in environ:
        return _answer(start_response, 403, {"content-type": "application/json"}, '{"message":"Forbidden"}')
    event = http_event(environ["REQUEST_METHOD"], unquote(path), query=environ.get("QUERY_STRING", ""), content=body)
    try:
        answer = resolve(event, Context())
    finally:
        metrics.provider.clear_metrics()  # the entry point of the function flushes them
    return _answer(start_response, answer["statusCode"], answer["headers"], answer["body"])


def _answer(start_response, status, headers, body):
    start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
    return [body.encode()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000), indent=2) + "\n")
