"""The evidence that nightly learning rests on: a row for each decision whose outcome is known."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """One decision whose outcome is known.

    `timestamp_ms` counts milliseconds since 1970 in UTC. `features` are sorted and without duplicates.
    """

    decision_id: str
    decision_type: str
    timestamp_ms: int
    success: bool
    features: tuple[str, ...]
