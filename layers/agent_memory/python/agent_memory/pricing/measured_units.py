"""Measured usage of a decision, a request and a nightly job; `make bench-cost` measures it and writes the file."""

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from agent_memory.core.errors import InvalidInput
from agent_memory.pricing.capacity_units import DecisionUnits


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredUnits(DecisionUnits):
    """The units of a decision, and those of a request and of a nightly job, with bytes and seconds of Lambda.

    Attributes:
        measured: ISO date of the measurement.
        archived_bytes: bytes of a decision in the Parquet archive.
        evidence_bytes: bytes of a decision in the evidence that the nightly job learns from.
        report_bytes: bytes of an agent's daily report.
        response_bytes: bytes of a response that contains a decision.
        nightly_write_units: write units of an agent's nightly job: patterns, states, counts.
        nightly_read_units: read units of an agent's nightly job per decision of a day.
        nightly_other_read_units: read units of an agent's nightly job for memories and states.
        batch_log_bytes: bytes that the API's function logs per batch of decisions or outcomes.
        read_log_bytes: bytes that it logs per read.
        nightly_log_bytes: assumed: bytes that the functions and the state machine log per agent and nightly job.
        access_log_bytes: assumed: bytes that API Gateway logs per request.
        invocation_log_bytes: assumed: bytes that Lambda logs per invocation, unless its level is WARN.
        api_seconds: assumed: billed seconds of a request, without initialization.
        init_seconds: assumed: billed seconds of initializing the API's function.
        init_share: assumed: share (0-1) of a busy API's requests that wait for an initialization.
        counter_log_bytes: assumed: bytes that the function that counts decisions logs per invocation.
        counter_seconds: assumed: billed seconds of one of its invocations, without initialization.
        counter_init_seconds: assumed: billed seconds of initializing it.
        nightly_seconds: assumed: billed seconds of each function of an agent's nightly job.
        cache_bytes: assumed: bytes between the API's function and the cache per request.
    """

    measured: str
    archived_bytes: float
    evidence_bytes: float
    report_bytes: float
    response_bytes: float
    nightly_write_units: float
    nightly_read_units: float
    nightly_other_read_units: float
    batch_log_bytes: float
    read_log_bytes: float
    nightly_log_bytes: float
    access_log_bytes: float
    invocation_log_bytes: float
    api_seconds: float
    init_seconds: float
    init_share: float
    counter_log_bytes: float
    counter_seconds: float
    counter_init_seconds: float
    nightly_seconds: float
    cache_bytes: float


def load_units() -> MeasuredUnits:
    """Load the measured units from this package.

    Raises:
        InvalidInput: the file is incomplete.
    """
    content = json.loads(files("agent_memory.pricing").joinpath("measured-units.json").read_text(encoding="utf-8"))
    try:
        date.fromisoformat(content["measured"]["date"])
        measured = {name: value for name, value in content["measured"].items() if name not in {"date", "how"}}
        assumed = {name: value for name, value in content["assumed"].items() if name != "why"}
        return MeasuredUnits(measured=content["measured"]["date"], **measured, **assumed)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("measured-units.json", f"{error!r}; `make bench-cost` writes it again") from error
