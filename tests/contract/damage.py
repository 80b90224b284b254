"""Damages stored items as other programs, lost objects and failed copies do, on any of the stores."""

from agent_memory.core.ids import shard_of
from agent_memory.core.keys import decision_pk, decision_sk, history_pk, history_sk, memory_pk
from agent_memory.model.decisions import DecisionKey
from agent_memory.storage.in_memory.decisions import InMemoryDecisions
from agent_memory.storage.sqlite.decisions import SqliteDecisions

ITEMS = {
    "no attributes": {},
    "other types": {"context": {"S": "text"}, "reasoning": {"N": "1"}, "decision_id": {"BOOL": True}},
    "a lost part": {"reasoning_at": {"S": "large/agent_id=nobody/lost.json"}},
    "a pointer of another type": {"reasoning_at": {"N": "5"}},
    "an expiry that is text": {"ttl": {"S": "never"}},
    "an expiry and outcome that are not": {"ttl": {"BOOL": False}, "success": {"S": "yes"}},
}
DAMAGE_MEMORY = "UPDATE memories SET record = '{}' WHERE (agent_id, memory_type, pattern_id) = (?, ?, ?)"
DAMAGE_VERSION = (
    "UPDATE memory_versions SET record = '[]' WHERE (agent_id, memory_type, pattern_id, version) = (?, ?, ?, ?)"
)
TEXTS = ("{}", "[]", "not JSON", '{"agent_id": 5}')


def keeps_items(stores):
    """Whether decisions are items of a DynamoDB table, whose large parts are elsewhere."""
    return not isinstance(stores.decisions, InMemoryDecisions | SqliteDecisions)


def damage_decision(stores, key: DecisionKey, kind="no attributes"):
    """Replace what is stored under a decision's key; the links to it remain."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.decisions._texts[key] = TEXTS[len(kind) % len(TEXTS)]
        return
    if isinstance(stores.decisions, SqliteDecisions):
        text = TEXTS[len(kind) % len(TEXTS)]
        _execute(stores, "UPDATE decisions SET content = ? WHERE decision_id = ?", text, key.decision_id)
        return
    pk = decision_pk(key.agent_id, key.decision_type, shard_of(key.decision_id))
    put_item(stores.decisions, pk, decision_sk(key.timestamp_ms, key.decision_id), ITEMS[kind])


def damage_memory(stores, agent_id, memory_type, pattern_id):
    """Replace the current version of a memory."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.memories._current[agent_id, memory_type, pattern_id] = "{}"
        return
    if isinstance(stores.decisions, SqliteDecisions):
        _execute(stores, DAMAGE_MEMORY, agent_id, memory_type, pattern_id)
        return
    put_item(stores.memories, memory_pk(agent_id, memory_type), pattern_id, {"data": {"S": "text"}})


def damage_version(stores, agent_id, memory_type, pattern_id, version):
    """Replace a version in the history of a memory."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.memories._history[agent_id, memory_type, pattern_id][version - 1] = "[]"
        return
    if isinstance(stores.decisions, SqliteDecisions):
        _execute(stores, DAMAGE_VERSION, agent_id, memory_type, pattern_id, version)
        return
    put_item(stores.memories, history_pk(agent_id, memory_type), history_sk(pattern_id, version), {})


def damage_state(stores, agent_id, state_type):
    """Replace a state."""
    if isinstance(stores.decisions, InMemoryDecisions):
        stores.states._states[agent_id, state_type] = ("{", 1, 0)
        return
    if isinstance(stores.decisions, SqliteDecisions):
        _execute(stores, "INSERT OR REPLACE INTO states VALUES (?, ?, 1, 0, '{')", agent_id, state_type)
        return
    put_item(stores.states, agent_id, state_type, {"version": {"S": "one"}})


def _execute(stores, statement, *values):
    with stores.decisions._database.writing() as connection:
        connection.execute(statement, values)


def put_item(store, pk, sk, attributes):
    """Write an item into a store's table, as another program would."""
    store._client.put_item(TableName=store._table, Item={"pk": {"S": pk}, "sk": {"S": sk}, **attributes})
