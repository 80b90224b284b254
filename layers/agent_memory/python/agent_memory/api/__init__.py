"""The Lambda functions: settings, the HTTP API, the events of the nightly job, logs and metrics."""

from agent_memory.api import startup

startup.begin()
