"""The stored records: decisions with their outcomes, memories, states, and the archive's seals."""
