"""Spans of memory operations and decisions, and an outcome as an evaluation event.

pip install 'agent-memory[opentelemetry]' opentelemetry-sdk
python examples/traced_decisions.py sqlite:///memory.db
"""

import sys

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.client.integrations.opentelemetry import instrument


def run(url: str) -> None:
    """Recall, decide and judge once, and print what was recorded; a program would export it by OTLP."""
    spans, events = InMemorySpanExporter(), InMemoryLogRecordExporter()
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(events))
    memory = MemoryManager("traced-trader", stores=url)
    log = DecisionLogger("traced-trader", memory_manager=memory)
    instrument(log, memory, tracer_provider=tracers, logger_provider=loggers)
    memory.sync.recall("gaps in an uptrend")
    decision_id = log.sync.log_decision("TRADE", {"market": {"trend": "up"}}, {"action": "buy"})
    log.sync.log_outcome(decision_id, {"pnl": 12.5}, success=True, horizon="exit")
    for span in spans.get_finished_spans():
        print(span.name)
    for event in events.get_finished_logs():
        record = event.log_record
        print(record.event_name, record.attributes["gen_ai.evaluation.score.label"])


if __name__ == "__main__":
    run(sys.argv[1] if len(sys.argv) > 1 else "sqlite:///memory.db")
