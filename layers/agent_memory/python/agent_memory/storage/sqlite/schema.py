"""The tables of the database, as migrations: version N of a file is what the first N migrations have made.

A migration that was released is never changed; a later version of the package adds another one. Indexes serve the
queries of the DynamoDB tables and indexes, see `storage.schema`.
"""

APPLICATION_ID = 0x41674D6D
"""`AgMm`, in the header of each file, which tells it from the databases of other programs."""

OLDEST_SQLITE = (3, 37, 0)
"""The first version with STRICT tables."""

_FIRST = """
CREATE TABLE decisions (
    agent_id TEXT NOT NULL,
    decision_type TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    decision_id TEXT NOT NULL,
    shard INTEGER NOT NULL,
    context_type TEXT,
    success INTEGER,
    expires_ms INTEGER,
    content TEXT NOT NULL,
    outcomes TEXT
) STRICT;
CREATE UNIQUE INDEX decisions_by_type ON decisions (agent_id, decision_type, timestamp_ms, decision_id);
CREATE INDEX decisions_by_outcome ON decisions (agent_id, decision_type, success, timestamp_ms, decision_id)
    WHERE success IS NOT NULL;
CREATE INDEX decisions_by_context ON decisions (agent_id, context_type, timestamp_ms, decision_id)
    WHERE context_type IS NOT NULL;
CREATE INDEX decisions_by_expiry ON decisions (expires_ms) WHERE expires_ms IS NOT NULL;

CREATE TABLE links (
    agent_id TEXT NOT NULL,
    ancestor_id TEXT NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    decision_id TEXT NOT NULL,
    decision_type TEXT NOT NULL,
    steps INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (agent_id, ancestor_id, timestamp_ms, decision_id)
) STRICT;
CREATE INDEX links_by_expiry ON links (expires_ms);

CREATE TABLE memories (
    agent_id TEXT NOT NULL,
    memory_type TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    confidence REAL,
    access_count INTEGER NOT NULL DEFAULT 0,
    last_accessed_ms INTEGER,
    accesses_through TEXT NOT NULL DEFAULT '',
    record TEXT NOT NULL,
    PRIMARY KEY (agent_id, memory_type, pattern_id)
) STRICT;
CREATE INDEX memories_by_confidence ON memories (agent_id, memory_type, confidence DESC, pattern_id);

CREATE TABLE memory_versions (
    agent_id TEXT NOT NULL,
    memory_type TEXT NOT NULL,
    pattern_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (agent_id, memory_type, pattern_id, version)
) STRICT;

CREATE TABLE states (
    agent_id TEXT NOT NULL,
    state_type TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (agent_id, state_type)
) STRICT;

CREATE TABLE agents (
    agent_id TEXT PRIMARY KEY,
    write_shards INTEGER NOT NULL,
    registered_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_decision_types (
    agent_id TEXT NOT NULL,
    decision_type TEXT NOT NULL,
    PRIMARY KEY (agent_id, decision_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE short_term (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX short_term_by_expiry ON short_term (expires_ms);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""SQL scripts, each of which brings a file from the version that is its position to the next one."""
