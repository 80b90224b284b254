"""The archive of decisions: rewrites after late writes, sealing, verification."""
