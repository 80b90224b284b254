"""Spans and events on OpenTelemetry's own SDK, with exporters in memory."""

import asyncio
import gzip
import json
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("opentelemetry.sdk", reason="`make conformance` installs the opentelemetry extra")

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from agent_memory import BufferedDecisionLogger, DecisionLogger, InvalidInput, MemoryManager, NotFound
from agent_memory.client.integrations.opentelemetry import instrument
from tests.conformance.examples import run_example

SECRET = "the secret plan"
STORE = {"gen_ai.memory.store.id": "hunter"}


class Recorded:
    """A logger and a memory that are instrumented, with what they recorded."""

    def __init__(self, url, **options):
        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self.tracers, loggers = TracerProvider(), LoggerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        self.memory = MemoryManager("hunter", stores=url)
        self.log = DecisionLogger("hunter", memory_manager=self.memory)
        self.options = {"tracer_provider": self.tracers, "logger_provider": loggers, **options}
        instrument(self.log, self.memory, **self.options)

    def named(self):
        return [(span.name, dict(span.attributes)) for span in self.spans.get_finished_spans()]

    def events(self):
        return [one.log_record for one in self.logs.get_finished_logs()]


@pytest.fixture
def recorded(url):
    return Recorded(url)


def operation(name, **attributes):
    return name, {"gen_ai.operation.name": name, **STORE, **attributes}


async def test_memory_operations_have_the_names_and_attributes_of_the_conventions(recorded):
    memory = recorded.memory
    await memory.store_ltm("PATTERN", "pump", {"text": SECRET, "confidence": 0.5})
    await memory.update_ltm_confidence("pump", 0.6)
    await memory.get_ltm("PATTERN", "pump")
    await memory.retrieve_ltm("PATTERN")
    await memory.recall(SECRET)
    memory.sync.delete_ltm("PATTERN", "pump", SECRET)
    one = {"gen_ai.memory.record.id": "PATTERN/pump", "gen_ai.memory.record.count": 1}
    assert recorded.named() == [
        operation("upsert_memory", **one),
        operation("update_memory", **one),
        operation("search_memory", **one),
        operation("search_memory", **{"gen_ai.memory.record.count": 1}),
        operation("search_memory", **{"gen_ai.memory.record.count": 1}),
        operation("delete_memory", **one),
    ]
    assert {span.kind for span in recorded.spans.get_finished_spans()} == {SpanKind.CLIENT}


async def test_no_content_is_recorded_unless_switched_on(url, recorded):
    await recorded.log.log_decision("TRADE", {"note": SECRET}, {"why": SECRET}, {"more": SECRET})
    await recorded.memory.store_ltm("PATTERN", "pump", {"text": SECRET})
    await recorded.memory.recall(SECRET)
    with pytest.raises(InvalidInput):
        await recorded.memory.store_ltm("PATTERN", "pump", {SECRET: float("nan")})
    everything = [span.to_json() for span in recorded.spans.get_finished_spans()]
    assert SECRET not in json.dumps(everything)
    open_to_view = Recorded(url, capture_content=True)
    await open_to_view.memory.recall(SECRET)
    ((_, attributes),) = open_to_view.named()
    assert attributes["gen_ai.memory.query.text"] == SECRET
    assert SECRET in attributes["gen_ai.memory.records"]


async def test_a_decision_is_linked_to_its_parents_and_keeps_its_trace(recorded):
    first = await recorded.log.log_decision("QUERY", {}, {})
    second = recorded.log.sync.log_decision("TRADE", {}, {}, {"own": 1}, parent_ids=[first])
    one, other = recorded.spans.get_finished_spans()
    assert (one.name, other.name) == ("record_decision QUERY", "record_decision TRADE")
    assert [link.context.span_id for link in other.links] == [one.context.span_id]
    assert dict(other.attributes) == {
        "gen_ai.agent.id": "hunter",
        "agent_memory.decision.type": "TRADE",
        "agent_memory.decision.parent_ids": (first,),
        "agent_memory.decision.id": second,
    }
    metadata = (await recorded.log.get_decision(second))["metadata"]
    ids = {"trace_id": f"{other.context.trace_id:032x}", "span_id": f"{other.context.span_id:016x}"}
    assert metadata == {"own": 1, "trace": ids}


async def test_an_outcome_is_an_evaluation_event_of_its_decision(recorded):
    logged = await recorded.log.log_decision("TRADE", {}, {})
    await recorded.log.log_outcome(logged, {"note": SECRET}, True, horizon="1h")
    await recorded.log.log_outcome(logged, {}, False, horizon="1d")
    (span,) = recorded.spans.get_finished_spans()
    first, second = recorded.events()
    assert {one.event_name for one in (first, second)} == {"gen_ai.evaluation.result"}
    assert dict(first.attributes) == {
        "gen_ai.evaluation.name": "1h",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.agent.id": "hunter",
        "agent_memory.decision.id": logged,
    }
    assert second.attributes["gen_ai.evaluation.score.label"] == "fail"
    assert {one.span_id for one in (first, second)} == {span.context.span_id}


async def test_a_call_that_may_be_repeated_stays_the_same_record(recorded):
    from agent_memory import new_decision_id

    decision_id = new_decision_id("TRADE")
    for _ in range(2):
        assert await recorded.log.log_decision("TRADE", {}, {}, decision_id=decision_id) == decision_id
    assert (await recorded.log.get_decision(decision_id))["metadata"] == {}


async def test_errors_have_their_code_and_no_event_says_otherwise(recorded):
    with pytest.raises(NotFound):
        await recorded.memory.get_ltm("PATTERN", "never")
    with pytest.raises(InvalidInput):
        await recorded.log.log_outcome("x", {}, True)
    (span,) = recorded.spans.get_finished_spans()
    assert (span.attributes["error.type"], span.status.status_code) == ("not_found", StatusCode.ERROR)
    assert (span.events, recorded.events()) == ((), [])


async def test_spans_belong_to_the_callers_trace_from_any_loop(recorded):
    tracer = recorded.tracers.get_tracer("test")
    with tracer.start_as_current_span("cycle") as cycle:
        await recorded.memory.recall("x")
    with tracer.start_as_current_span("cycle"):
        await asyncio.to_thread(recorded.memory.sync.recall, "x")
    recall = recorded.spans.get_finished_spans()[0]
    assert recall.parent.span_id == cycle.get_span_context().span_id
    assert [span.parent is not None for span in recorded.spans.get_finished_spans()] == [True, False, True, False]


async def test_a_buffered_logger_is_recorded_once(recorded, tmp_path):
    instrument(recorded.log, recorded.memory, **recorded.options)
    async with BufferedDecisionLogger(
        DecisionLogger("hunter", memory_manager=recorded.memory), tmp_path / "b"
    ) as buffered:
        instrument(buffered, **recorded.options)
        logged = await buffered.log_decision("TRADE", {}, {})
        buffered.sync.log_outcome(logged, {}, True)
        await buffered.flush()
    assert [name for name, _ in recorded.named()] == ["record_decision TRADE"]
    assert [one.attributes["agent_memory.decision.id"] for one in recorded.events()] == [logged]


def test_something_else_is_refused():
    with pytest.raises(InvalidInput, match="objects"):
        instrument("memory")


def test_the_library_needs_the_api_alone_and_records_nothing_by_itself(url):
    program = f"""
import sys
from agent_memory import MemoryManager
assert not any(name.startswith("opentelemetry") for name in sys.modules)
from agent_memory.client.integrations.opentelemetry import instrument
memory = MemoryManager("hunter", stores={url!r})
instrument(memory)
print(memory.sync.store_ltm("PATTERN", "p", {{}})["version"])
assert not any(name.startswith("opentelemetry.sdk") for name in sys.modules)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("1\n", "")


def test_the_example_prints_its_spans(url, capsys):
    run_example("traced_decisions", url)
    assert capsys.readouterr().out.splitlines() == [
        "search_memory",
        "record_decision TRADE",
        "gen_ai.evaluation.result pass",
    ]


# --- MLflow and Langfuse ------------------------------------------------------------------------------

DOCS = Path(__file__).parents[2] / "docs"


class Receiver(BaseHTTPRequestHandler):
    """Takes spans by OTLP over HTTP, as both programs do."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        sent = ExportTraceServiceRequest.FromString(body)
        self.server.received.append((self.path, dict(self.headers), sent))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def receiver():
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.received = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("page", "path", "header"),
    [
        ("mlflow", "/v1/traces", ("x-mlflow-experiment-id", "1")),
        ("langfuse", "/api/public/otel/v1/traces", ("authorization", "Basic cHVibGljOnNlY3JldA==")),
    ],
)
def test_spans_arrive_as_the_pages_configure_it(page, path, header, url, receiver, monkeypatch):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for name, value in re.findall(r"export (OTEL_\w+)=(.*)", text):
        configured = value.strip('"').replace("$LANGFUSE_KEYS", "cHVibGljOnNlY3JldA==")
        host = f"http://127.0.0.1:{receiver.server_port}"
        monkeypatch.setenv(name, re.sub(r"^https?://[^/]+", host, configured))
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    memory = MemoryManager("hunter", stores=url)
    log = DecisionLogger("hunter", memory_manager=memory)
    instrument(log, memory, tracer_provider=provider)
    memory.sync.recall("gaps")
    decision_id = log.sync.log_decision("TRADE", {}, {})
    provider.shutdown()
    ((called, headers, sent),) = receiver.received
    assert (called, {name.lower(): value for name, value in headers.items()}[header[0]]) == (path, header[1])
    spans = {span.name: span for resource in sent.resource_spans for one in resource.scope_spans for span in one.spans}
    assert set(spans) == {"search_memory", "record_decision TRADE"}
    decided = spans["record_decision TRADE"]
    attributes = {one.key: one.value.string_value for one in decided.attributes}
    assert attributes["agent_memory.decision.id"] == decision_id
    where = log.sync.get_decision(decision_id)["metadata"]["trace"]
    assert where == {"trace_id": decided.trace_id.hex(), "span_id": decided.span_id.hex()}
