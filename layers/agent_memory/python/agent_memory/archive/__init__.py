"""The archive of decisions: late writes, sealing, verification."""
