"""The Lambda functions: settings, the HTTP API, the events of the nightly job, logs and metrics."""
