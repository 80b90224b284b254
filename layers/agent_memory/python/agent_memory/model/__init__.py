"""The records that are kept: decisions with their outcomes, memories, states, and the archive's seals."""
