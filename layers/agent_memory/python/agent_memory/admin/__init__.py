"""Administration of an agent: export and erasure of its data, and its IAM policy."""
