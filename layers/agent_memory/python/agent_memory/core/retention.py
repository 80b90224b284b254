"""How long data is kept. All retention periods of the product are defined here."""

from agent_memory.core.clock import DAY_MS

# Short-term memory, seconds.
CONTEXT_SECONDS = 3_600
QUERIES_SECONDS = 24 * 3_600
SIGNALS_SECONDS = 4 * 3_600
RATE_LIMIT_SECONDS = 300
PERFORMANCE_SECONDS = 15 * 60
DECISION_CHAIN_SECONDS = 2 * 3_600
STM_MAX_SECONDS = 24 * 3_600
STATE_SECONDS = 300  # bounds how outdated a cached state is if its writer could not reach the cache
ACCESSES_SECONDS = 7 * 24 * 3_600  # counts of reads are lost if no nightly job runs for this long

# Short-term memory, numbers of entries.
RECENT_CYCLES = 10
CHAINED_DECISIONS = 100

# Decisions, age in days.
ARCHIVE_AFTER_DAYS = 30
HOT_DAYS = 90
GLACIER_AFTER_DAYS = 365
EXPIRE_AFTER_DAYS = 7 * 365 + 2  # seven years have one or two leap days

# Long-term memory: days before pruning, and the confidence below which a memory is doubtful.
LOW_CONFIDENCE_DAYS = 30
DEPRECATED_DAYS = 180
LOW_CONFIDENCE = 0.5

# Evidence for learning, days.
EVIDENCE_DAYS = 90  # what one nightly job learns from
EVIDENCE_KEPT_DAYS = 2 * EVIDENCE_DAYS  # so that the oldest day that can be learned again has its evidence

# The archive's bucket, days.
REPORTS_DAYS = 3 * 365  # daily reports
PRUNED_DAYS = 7 * 365 + 2  # the last versions of pruned memories, as long as the decisions that taught them
OLD_VERSIONS_DAYS = 30  # replaced and deleted versions of objects
ABANDONED_UPLOADS_DAYS = 7
QUERY_RESULTS_DAYS = 30  # of SQL over the archive
NIGHTLY_LISTS_DAYS = 30  # of the agents that a nightly run worked on
RESTORED_DAYS = 7  # a copy of an object that was restored from Glacier

# Operations, days.
LOG_DAYS = 30  # default of the setting `log_retention_days`
DEV_LOG_DAYS = 7  # its default in a development stage
MISSED_STARTS_DAYS = 14  # messages of the nightly schedule's dead-letter queue
AUDIT_GLACIER_AFTER_DAYS = 90  # the audit trail, which expires with the archive
POINT_IN_TIME_RECOVERY_DAYS = 35  # DynamoDB's default and its maximum

# DynamoDB keeps an item for ever whose expiry is over five years past; a year less allows for clocks and delays.
_OLDEST_EXPIRY_MS = 4 * 365 * DAY_MS


def expires_ms(made_ms: int, days: int, now_ms: int) -> int:
    """When an item of a table expires, days after it was made; tomorrow if that is years ago.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
    """
    at_ms = made_ms + days * DAY_MS
    return at_ms if at_ms > now_ms - _OLDEST_EXPIRY_MS else now_ms + DAY_MS
