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
        response_bytes: bytes of a response that contains a decision.
        nightly_write_units: write units of an agent's nightly job: patterns, states, counts.
        nightly_read_units: read units of an agent's nightly job per decision of a day.
        log_line_bytes: bytes that the functions log per request to the API.
        platform_log_bytes: assumed: bytes that Lambda and API Gateway log per request.
        api_seconds: assumed: billed seconds of a request, including the average share of cold starts.
        nightly_seconds: assumed: billed seconds of each function of an agent's nightly job.
    """

    measured: str
    archived_bytes: float
    response_bytes: float
    nightly_write_units: float
    nightly_read_units: float
    log_line_bytes: float
    platform_log_bytes: float
    api_seconds: float
    nightly_seconds: float

    @property
    def log_bytes(self) -> float:
        """Bytes of log per request to the API."""
        return self.log_line_bytes + self.platform_log_bytes


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
