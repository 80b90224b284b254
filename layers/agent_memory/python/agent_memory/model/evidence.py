"""The evidence that the nightly job learns from: one row per decision with a known outcome."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """One decision with a known outcome.

    `timestamp_ms` is in milliseconds since the epoch. `features` are sorted and without duplicates.
    """

    decision_id: str
    decision_type: str
    timestamp_ms: int
    success: bool
    features: tuple[str, ...]
