"""What a decision, a request and a night take, as `make bench-cost` measured it; the file tells when and how."""

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
        expiry_units: write units of marking it to expire once it is archived.
        read_units: read units of reading it by its id.
        stored_bytes: its bytes in table and indexes, with the 100 that DynamoDB adds to each entry.
        archived_bytes: its bytes in the Parquet archive.
        reply_bytes: bytes of a reply that carries it.
        night_write_units: write units of an agent's night: patterns, states, counts.
        night_read_units: read units of an agent's night for each decision of a day.
        log_line_bytes: bytes that the functions write to their log for each request to the API.
        platform_log_bytes: assumed: bytes that Lambda and API Gateway write for each request.
        api_seconds: assumed: billed seconds of one request, start-ups averaged in.
        night_seconds: assumed: billed seconds of each function of an agent's night.
    """

    measured: str
    log_units: float
    outcome_units: float
    expiry_units: float
    read_units: float
    stored_bytes: float
    archived_bytes: float
    reply_bytes: float
    night_write_units: float
    night_read_units: float
    log_line_bytes: float
    platform_log_bytes: float
    api_seconds: float
    night_seconds: float

    @property
    def write_units(self) -> float:
        """Write units of a decision's whole life."""
        return self.log_units + self.outcome_units + self.expiry_units

    @property
    def log_bytes(self) -> float:
        """Bytes of log for each request to the API."""
        return self.log_line_bytes + self.platform_log_bytes


def load_units() -> MeasuredUnits:
    """The measured units that this package carries.

    Raises:
        InvalidInput: the file does not hold what it should.
    """
    content = json.loads(files("agent_memory.pricing").joinpath("measured-units.json").read_text(encoding="utf-8"))
    try:
        date.fromisoformat(content["measured"]["date"])
        measured = {name: value for name, value in content["measured"].items() if name not in {"date", "how"}}
        assumed = {name: value for name, value in content["assumed"].items() if name != "why"}
        return MeasuredUnits(measured=content["measured"]["date"], **measured, **assumed)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("measured-units.json", f"{error!r}; `make bench-cost` writes it anew") from error
