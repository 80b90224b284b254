"""Damages stored items as other programs, lost objects and failed copies do, on any of the stores."""

from agent_memory.core.ids import shard_of
from agent_memory.core.keys import decision_pk, decision_sk, history_pk, history_sk, memory_pk
from agent_memory.model.decisions import DecisionKey
from agent_memory.storage.in_memory.decisions import InMemoryDecisions

ITEMS = {
    "no attributes": {},
    "other types": {"context": {"S": "text"}, "reasoning": {"N": "1"}, "decision_id": {"BOOL": True}},
    "a lost part": {"reasoning_at": {"S": "large/agent_id=nobody/lost.json"}},
    "a pointer of another type": {"reasoning_at": {"N": "5"}},
    "an expiry that is text": {"ttl": {"S": "never"}},
    "an expiry and outcome that are not": {"ttl": {"BOOL": False}, "success": {"S": "yes"}},
}
TEXTS = ("{}", "[]", "not JSON", '{"agent_id": 5}')


def damage_decision(stores, key: DecisionKey, kind="no attributes"):
    """Replace what is stored under a decision's key; the links to it remain."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.decisions._texts[key] = TEXTS[len(kind) % len(TEXTS)]
        return
    pk = decision_pk(key.agent_id, key.decision_type, shard_of(key.decision_id))
    put_item(stores.decisions, pk, decision_sk(key.timestamp_ms, key.decision_id), ITEMS[kind])


def damage_memory(stores, agent_id, memory_type, pattern_id):
    """Replace the current version of a memory."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.memories._current[agent_id, memory_type, pattern_id] = "{}"
        return
    put_item(stores.memories, memory_pk(agent_id, memory_type), pattern_id, {"data": {"S": "text"}})


def damage_version(stores, agent_id, memory_type, pattern_id, version):
    """Replace a version in the history of a memory."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.memories._history[agent_id, memory_type, pattern_id][version - 1] = "[]"
        return
    put_item(stores.memories, history_pk(agent_id, memory_type), history_sk(pattern_id, version), {})


def damage_state(stores, agent_id, state_type):
    """Replace a state."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.states._states[agent_id, state_type] = ("{", 1, 0)
        return
    put_item(stores.states, agent_id, state_type, {"version": {"S": "one"}})


def put_item(store, pk, sk, attributes):
    """Write an item into a store's table, as another program would."""
    store._client.put_item(TableName=store._table, Item={"pk": {"S": pk}, "sk": {"S": sk}, **attributes})
