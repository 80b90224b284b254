"""Counts the decisions that are new in the table, from its stream."""

import json
import os
import sys
from typing import Any

from agent_memory.api.decision_counts import count_documents


def handler(event: dict[str, Any], _: object) -> None:
    """Write one line of metrics for each minute of the records.

    Without a logger and without boto3: the function starts for a handful of decisions every few minutes.
    """
    for document in count_documents(event["Records"], os.environ["POWERTOOLS_METRICS_NAMESPACE"]):
        sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")
