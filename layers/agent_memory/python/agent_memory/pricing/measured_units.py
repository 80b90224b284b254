"""Measured usage of a decision, a request and a nightly job; `make bench-cost` measures it and writes the file."""

import json
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from agent_memory.core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredUnits:
    """Capacity units of DynamoDB, bytes, and seconds of Lambda.

    Attributes:
        measured: ISO date of the measurement.
        log_units: write units of logging a decision, indexes included.
        outcome_units: write units of logging its outcome.
        expiry_units: write units of setting its expiry once it is archived.
        read_units: read units of reading it by its id.
        stored_bytes: its bytes in table and indexes, including the 100 that DynamoDB adds to each entry.
        link_bytes: bytes of the links to it from the decisions that led to it.
        archived_bytes: its bytes in the Parquet archive.
        response_bytes: bytes of a response that contains it.
        nightly_write_units: write units of an agent's nightly job: patterns, states, counts.
        nightly_read_units: read units of an agent's nightly job per decision of a day.
        log_line_bytes: bytes that the functions log per request to the API.
        platform_log_bytes: assumed: bytes that Lambda and API Gateway log per request.
        api_seconds: assumed: billed seconds of a request, including the average share of cold starts.
        nightly_seconds: assumed: billed seconds of each function of an agent's nightly job.
    """

    measured: str
    log_units: float
    outcome_units: float
    expiry_units: float
    read_units: float
    stored_bytes: float
    link_bytes: float
    archived_bytes: float
    response_bytes: float
    nightly_write_units: float
    nightly_read_units: float
    log_line_bytes: float
    platform_log_bytes: float
    api_seconds: float
    nightly_seconds: float

    @property
    def write_units(self) -> float:
        """Write units of a decision from logging to expiry."""
        return self.log_units + self.outcome_units + self.expiry_units

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
