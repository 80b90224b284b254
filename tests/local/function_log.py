"""What deployed functions have written to their logs."""

import json
import time

_MOST_EVENTS = 10_000


def messages(cloud, function, containing=""):
    """The messages in a function's log that contain a word, the oldest first.

    The local cloud returns the oldest events, up to a limit, and no token for the others; so the next request starts at
    the time of the last one, whose events come a second time.
    """
    logs = cloud.boto_session().client("logs")
    found, since, is_cut = [], 0, True
    while is_cut:
        events = logs.filter_log_events(
            logGroupName=f"/aws/lambda/agent-memory-{function}", startTime=since, filterPattern=containing
        )["events"]
        found = [one for one in found if one["timestamp"] < since] + events
        is_cut = len(events) == _MOST_EVENTS
        since = found[-1]["timestamp"] if found else 0
    return [one["message"] for one in found]


def counted(cloud, expected, seconds=60):
    """The sum of `DecisionsLogged` that the function `counter` has written, once it is what is expected."""
    until = time.monotonic() + seconds
    while True:
        lines = messages(cloud, "counter", containing="DecisionsLogged")
        documents = [json.loads(line[line.index("{") :]) for line in lines]
        total = sum(one["DecisionsLogged"] for one in documents)
        if total >= expected or time.monotonic() > until:
            return total
        time.sleep(0.5)


def counted_so_far(cloud, seconds=60):
    """The sum of `DecisionsLogged` once it no longer grows: the decisions of other tests have been counted."""
    until = time.monotonic() + seconds
    total = counted(cloud, 0)
    while (now := counted(cloud, total + 1, seconds=3)) > total and time.monotonic() < until:
        total = now
    return now
