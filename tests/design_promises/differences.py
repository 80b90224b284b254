"""Where the product differs from the design on purpose, each with the page that argues it."""

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        section: of the design.
        designed: what the design says.
        built: what the product does instead.
        argued_in: the page with the reasons, relative to `docs`.
    """

    section: str
    designed: str
    built: str
    argued_in: str

    @property
    def title(self) -> str:
        """The number of the decision record, or the name of the page."""
        name = PurePosixPath(self.argued_in.partition("#")[0]).stem
        return name[:4] if name[:4].isdigit() else name


DIFFERENCES = (
    Difference(
        "2.2.A",
        "The retention of long-term memory is configurable.",
        "It is, by constants of one module that a deployment applies; they are no settings of the stacks.",
        "data-retention.md#changing-a-duration",
    ),
    Difference(
        "2.2.B",
        "The id of a decision is a UUID.",
        "It is a UUID that contains the decision's time, type and shard, so that a decision is found by its id alone.",
        "decisions/0002-decision-ids-carry-their-key.md",
    ),
    Difference(
        "3.1",
        "Short-term memory is on ElastiCache for Redis, `cache.t3.micro`.",
        "It is on ElastiCache for Valkey, `cache.t4g.micro`, which costs less and has the same commands.",
        "questions.md#1-redis-or-dax-for-short-term-memory",
    ),
    Difference(
        "3.1",
        "Archived decisions move to Glacier.",
        "Files of 128 KB or more do, after a year. For smaller ones Glacier costs more than S3 Standard.",
        "decisions/0020-one-file-per-agent-and-day.md",
    ),
    Difference(
        "3.2",
        "An index of `agent_decisions` has decisions by outcome: `agent_id#success`, by time.",
        "They are read from the table with a filter. The write unit that the index took of each outcome pays for whole "
        "decisions in the index by market context.",
        "decisions/0099-copy-small-decisions-by-context.md",
    ),
    Difference(
        "3.2",
        "A decision expires 90 days after it was made.",
        "It does, but gets its `ttl` only after the archive has it, so that nothing expires unarchived.",
        "decisions/0005-expire-after-archiving.md",
    ),
    Difference(
        "3.2",
        "`source_metrics`, `context_performance` and `configuration` are attributes of a state's item.",
        "They are fields of its attribute `data`, which may be as large as an item; a copy would double the cost.",
        "decisions/0054-rates-that-may-be-compared.md",
    ),
    Difference(
        "3.3",
        "Keys begin with `stm:{agent_id}:`.",
        "The braces are part of the key: `stm:{market-hunter}:context:current`. They keep an agent in one slot of a "
        "cluster.",
        "decisions/0039-answers-of-redis.md",
    ),
    Difference(
        "4.1",
        "The components are modules of `src/memory`.",
        "They are exported by the package `agent_memory`, which consists of packages in layers.",
        "decisions/0033-packages-in-layers.md",
    ),
    Difference(
        "4.1.3",
        "`learn_from_outcomes` reads the successful decisions of the last 24 hours.",
        "It reads the failed ones too: from successes alone every source would look perfect.",
        "decisions/0054-rates-that-may-be-compared.md",
    ),
    Difference(
        "6.2",
        "Patterns are promoted from five occurrences on.",
        "A pattern has to be more than chance, for which at least 30 decisions with its features are needed. "
        "`min_occurrences` can raise that number.",
        "decisions/0001-test-patterns-before-storing-them.md",
    ),
    Difference(
        "7.2",
        "Archives are in S3 Intelligent-Tiering.",
        "They are in S3 Standard, and in Glacier after a year.",
        "cost.md#reserved-nodes-and-intelligent-tiering",
    ),
    Difference(
        "7.2",
        "The cache is a reserved node in production.",
        "A reservation is a purchase and no resource of a stack, so that it is left to the owner of the account.",
        "cost.md#reserved-nodes-and-intelligent-tiering",
    ),
    Difference(
        "9.2",
        "Metrics are sent by `put_metric_data`.",
        "They are lines of the embedded metric format in the functions' logs, which cost no request.",
        "decisions/0052-count-decisions-from-the-stream.md",
    ),
    Difference(
        "9.2",
        "There are CloudWatch dashboards.",
        "There is one with three parts, by the setting `dashboard`. By default there is none: it costs $3 a month.",
        "decisions/0030-alarms.md",
    ),
    Difference(
        "10.1",
        "CloudTrail records all API calls.",
        "It records them by the setting `audit_trail`; by default it does not, because each recorded call is charged.",
        "decisions/0029-stages-change-defaults-only.md",
    ),
    Difference(
        "11.1",
        "Patterns are found by rules or by machine learning.",
        "They are counted combinations that pass statistical tests, which a person can check.",
        "decisions/0049-search-stagewise.md",
    ),
)
