"""Many agents at once over the HTTP API."""

import secrets
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from agent_memory import AgentMemoryClient
from tests.trials.results import timed


def load_the_api(cloud, *, agents, batches):
    """Agents log batches of a hundred decisions at the same time, and query them: all are stored, once."""
    description = f"{agents} agents log {batches} batches of 100 decisions at the same time, then page through them"
    with timed("load", description) as result:
        run = secrets.token_hex(4)
        started = time.monotonic()
        with ThreadPoolExecutor(agents) as pool:
            runs = list(pool.map(lambda number: _agent(cloud, f"load-{run}-{number}", batches), range(agents)))
        seconds = time.monotonic() - started
        for sent, stored, _ in runs:
            result.tried += len(sent)
            result.survived += len(sent & set(stored))
            result.lost += len(sent - set(stored))
            result.doubled += len(stored) - len(set(stored))
        times = [one for _, _, durations in runs for one in durations]
        result.details = {
            "decisions per second": round(result.tried / seconds),
            "median batch": f"{statistics.median(times):.2f} s",
            "slowest batch": f"{max(times):.2f} s",
        }
    return result


def _agent(cloud, agent_id, batches):
    sent, times, stored = set(), [], []
    with AgentMemoryClient(cloud.api_url, agent_id, session=cloud.boto_session()).sync as client:
        for batch in range(batches):
            decisions = [
                {"decision_type": "QUERY", "context": {"n": 100 * batch + n}, "reasoning": {}} for n in range(100)
            ]
            started = time.monotonic()
            results = client.log_decisions(decisions)
            times.append(time.monotonic() - started)
            sent |= {one["decision_id"] for one in results if one["status"] == "created"}
        cursor = None
        while True:
            page = client.page_decisions("QUERY", limit=1_000, cursor=cursor)
            stored += [one["decision_id"] for one in page["decisions"]]
            cursor = page["cursor"]
            if cursor is None:
                return sent, stored, times
