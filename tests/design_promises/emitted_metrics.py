"""What the deployed functions have written to their logs: metrics in the embedded format, and lines of JSON."""

import json
import time

from tests.local.function_log import messages


def lines_of(cloud, function, wanted, *, enough=bool, seconds=60):
    """The JSON lines in a function's log that are wanted, the newest last; waits until they are enough."""
    until = time.monotonic() + seconds
    while True:
        found = [line for line in map(_parsed, messages(cloud, function)) if line and wanted(line)]
        if enough(found) or time.monotonic() > until:
            return found
        time.sleep(0.2)


def metric(cloud, function, name, *, during=None):
    """The newest values that a function has written for a metric, with its namespace and unit.

    `during` is the description of an execution, whose values alone are then looked at.
    """

    def is_wanted(line):
        return "_aws" in line and name in line and (during is None or _is_during(line, during))

    (*_, newest) = lines_of(cloud, function, is_wanted)
    (directive, *_) = newest["_aws"]["CloudWatchMetrics"]
    unit = next(one["Unit"] for one in directive["Metrics"] if one["Name"] == name)
    values = newest[name]
    return (values if isinstance(values, list) else [values]), directive["Namespace"], unit


def _is_during(line, execution):
    written = line["_aws"]["Timestamp"] / 1000
    return execution["startDate"].timestamp() <= written <= execution["stopDate"].timestamp() + 1


def _parsed(text):
    try:
        return json.loads(text[text.index("{") :])
    except ValueError:
        return None
