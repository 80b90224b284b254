"""The cache is killed, paused and restarted while an agent works."""

import secrets
import threading
import time
from dataclasses import replace

from agent_memory import DecisionLogger, MemoryManager
from agent_memory.storage.factory import redis_client_for
from agent_memory.storage.redis.short_term import RedisShortTerm
from local.stores import stores_of
from tests.redis_servers import redis_server
from tests.trials.results import timed

WORKERS = 4


def lose_the_cache(cloud, *, outages, seconds):
    """Use short-term memory, state and decisions while the cache fails: no call raises, and no decision is lost.

    `seconds` is the time of each phase: running, killed, running, paused.
    """
    description = f"an agent works while the cache is killed, restarted and paused {outages} times"
    with timed("cache outage", description) as result, redis_server() as server:
        agent_id = f"outage-{secrets.token_hex(4)}"
        short_term = RedisShortTerm(redis_client_for(server.endpoint))
        stores = replace(stores_of(cloud), short_term=short_term)
        log, memory = DecisionLogger(agent_id, stores=stores).sync, MemoryManager(agent_id, stores=stores).sync
        workers = [_Worker(log, memory, number) for number in range(WORKERS)]
        for _ in range(outages):
            time.sleep(seconds)
            server.kill()
            time.sleep(seconds)
            server.start()
            time.sleep(seconds)
            server.pause()
            time.sleep(seconds)
            server.resume()
        recovered = _recovers(memory)
        for worker in workers:
            worker.stop()
        ids = [decision_id for worker in workers for decision_id in worker.ids]
        stored = [log.get_decision(decision_id)["decision_id"] for decision_id in ids]
        errors = [error for worker in workers for error in worker.errors]
        result.tried = sum(worker.calls for worker in workers)
        result.survived = result.tried - len(errors)
        result.lost = len(ids) - len(set(stored)) + (not recovered)
        result.details = {
            "decisions": len(ids),
            "short-term calls without the cache": sum(worker.without_cache for worker in workers),
        } | ({"first error": repr(errors[0])} if errors else {})
    return result


def _recovers(memory):
    """Whether short-term memory is used again; after failures the client calls no cache for a few seconds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if memory.store_stm("after", 1) and memory.retrieve_stm("after") == 1:
            return True
        time.sleep(0.1)
    return False


class _Worker:
    """Calls in a loop on a thread of its own, and keeps what raised."""

    def __init__(self, log, memory, number):
        self.calls = self.without_cache = 0
        self.ids, self.errors = [], []
        self._log, self._memory, self._number = log, memory, number
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self):
        self._stopped.set()
        self._thread.join()

    def _work(self):
        while not self._stopped.is_set():
            for call in (self._store, self._log_decision, self._save_state, self._read_context):
                self.calls += 1
                try:
                    call()
                except Exception as error:  # counted; the trial fails if there was any
                    self.errors.append(error)

    def _store(self):
        self.without_cache += not self._memory.store_stm(f"key:{self._number}", {"calls": self.calls})

    def _log_decision(self):
        self.ids.append(self._log.log_decision("QUERY", {"calls": self.calls}, {}))

    def _save_state(self):
        if self._number == 0:
            self._memory.save_state({"calls": self.calls})
        else:
            self._memory.load_state()

    def _read_context(self):
        self._memory.get_context_memory(limit=5)
