"""Several writers at once: of each id one version is stored, and nobody's write is lost without an error."""

import secrets
from concurrent.futures import ThreadPoolExecutor

from agent_memory import Conflict, DecisionLogger, MemoryManager
from agent_memory.core.ids import new_decision_id
from local.stores import stores_of
from tests.trials.results import timed

WRITERS = 8


def race_for_ids(cloud, *, ids):
    """Eight threads log each id: the same content from half of them, different content from the others."""
    description = f"{WRITERS} threads log the same {ids} ids, with two contents"
    with timed("same id", description) as result:
        log = DecisionLogger(_agent_id(), stores=stores_of(cloud)).sync
        for n in range(ids):
            decision_id = new_decision_id("QUERY", 1_795_000_000_000 + n)

            def log_one(writer, decision_id=decision_id):
                try:
                    log.log_decision("QUERY", {"content": writer % 2}, {}, decision_id=decision_id)
                except Conflict:
                    return writer % 2, False
                return writer % 2, True

            outcomes = _together(log_one)
            accepted = {content for content, is_stored in outcomes if is_stored}
            stored = log.get_decision(decision_id)["context"]["content"]
            result.tried += 1
            result.survived += accepted == {stored}
            result.doubled += len(accepted) > 1
            result.lost += not accepted
    return result


def race_for_versions(cloud, *, versions):
    """Eight threads write the next version of the state and of a memory: exactly one may succeed."""
    description = f"{WRITERS} threads write each of {versions} versions of a state and of a memory"
    with timed("same version", description) as result:
        memory = MemoryManager(_agent_id(), stores=stores_of(cloud)).sync

        def save(writer, version):
            memory.save_state({"writer": writer}, expected_version=version)

        def store(writer, version):
            memory.store_ltm("PATTERN", "p", {"writer": writer, "n": version}, expected_version=version)

        for version in range(versions):
            for write in (save, store):
                winners = sum(_together(lambda writer, write=write, version=version: _wins(write, writer, version)))
                result.tried += 1
                result.survived += winners == 1
                result.lost += winners == 0
                result.doubled += winners > 1
        history = [one["version"] for one in memory.get_ltm_history("PATTERN", "p")]
        result.lost += versions - len(history)
        result.details = {"versions": len(history), "state version": memory.load_state(fresh=True)["version"]}
    return result


def race_for_a_limit(cloud, *, limit):
    """Eight threads with memories of their own take from one rate limit: never more than the limit."""
    with timed("same rate limit", f"{WRITERS} threads take {limit} times each from a limit of {limit}") as result:
        agent_id = _agent_id()
        memories = [MemoryManager(agent_id, stores=stores_of(cloud)).sync for _ in range(WRITERS)]

        def take(writer):
            answers = [memories[writer].check_rate_limit("source", limit, window_seconds=600) for _ in range(limit)]
            return sum(one["allowed"] for one in answers)

        allowed = sum(_together(take))
        result.tried = WRITERS * limit
        result.doubled = max(0, allowed - limit)
        result.lost = max(0, limit - allowed)
        result.survived = result.tried - result.doubled - result.lost
        result.details = {"allowed": allowed}
    return result


def _wins(write, writer, version):
    try:
        write(writer, version)
    except Conflict:
        return False
    return True


def _together(call):
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(call, range(WRITERS)))


def _agent_id():
    return f"race-{secrets.token_hex(4)}"
