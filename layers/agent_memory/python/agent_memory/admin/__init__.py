"""Administration of one agent: export and erasure of its data, IAM policy."""
