"""The deployed functions: environment, HTTP API, nightly events, logs and metrics."""
