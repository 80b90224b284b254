"""`DeployConfig`: every setting of a deployment, read from CDK context and validated in this one place."""

import platform
import re
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from agent_memory.core.errors import InvalidInput
from agent_memory.core.ids import MAX_SHARDS, check_agent_id
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, LOG_DAYS, POINT_IN_TIME_RECOVERY_DAYS
from agent_memory.model.recall_weights import weights_in
from agent_memory.ports.evidence import DEFAULT_ROWS_PER_PART, MAX_ROWS_PER_PART
from agent_memory.storage.redis.address import redis_url
from agent_memory.storage.schema import CACHE
from stacks.config_errors import invalid_setting, unknown_setting
from stacks.environments import DEV, Environment
from stacks.log_retention import LOG_RETENTION
from stacks.regions import BUDGET, GATEWAY, GATEWAY_TARGET, is_missing

Profile = Literal["aws", "local"]
Architecture = Literal["arm64", "x86_64"]
_Checked = TypeVar("_Checked")

RENAMED: Mapping[str, str] = MappingProxyType(
    {"night_time": "nightly_time", "night_concurrency": "nightly_concurrency"}
)
"""Settings that had another name before, by that name; it is still accepted."""

# Context keys of CDK itself contain a colon, a slash or a hyphen; a setting is a plain name.
_SETTING_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_CDK_KEYS = frozenset({"tree", "notices"})

# Lambda keeps at least this concurrency for functions without a reservation:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_UNRESERVED_CONCURRENCY = 100
_NIGHTLY_FUNCTIONS = 5
_MAX_DIRECT_AGENTS = 99  # and the functions' own user
_DYNAMODB_UNITS = 40_000  # per table and second, AWS's quota unless an account has raised it
_METRICS = "BTCAgent/Memory"
_PREFIX = re.compile(r"(?=.{2,24}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")


class ConfigError(ValueError):
    """A context key that cannot be used. The message names the key, what is wrong and what to do."""


def _setting(default: Any, description: str, example: str | None = None, **rules: Any) -> Any:
    """A setting with its description, an example of how to set it (its default, if left out), and pydantic's rules."""
    return Field(default=default, description=description, examples=[example or str(default)], **rules)


def _integer(default: int | None, least: int, most: int, description: str, example: str | None = None) -> Any:
    """A setting that is an integer; `{range}` in its description stands for the numbers from `least` to `most`."""
    text = description.replace("{range}", f"{least:,} to {most:,}")
    return _setting(default, text, example, ge=least, le=most)


class DeployConfig(BaseModel):
    """Settings of one deployment. Each field is the CDK context key of the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, validate_default=True)

    # --- what is deployed, and where ---
    profile: Profile = _setting("aws", "where the stacks are deployed")
    environment: Environment = _setting(
        "prod", "what the deployment is for; it only changes the defaults of other settings", "dev"
    )
    prefix: str = _setting(
        "agent-memory",
        "how the names of all stacks, tables and functions begin; 2 to 24 lower-case letters, digits and single "
        "hyphens, starting with a letter",
    )
    account: str | None = _setting(None, "the AWS account, 12 digits", "123456789012", pattern=r"^\d{12}$")
    region: str | None = _setting(
        None,
        "the AWS region; by default that of the credentials",
        "eu-central-1",
        pattern=r"^[a-z]{2,}(-[a-z]+)+-\d$",
    )

    # --- data ---
    keep_data: bool | None = _setting(
        None, "whether tables and archive outlive their stack; by default yes in aws, no in local", "true"
    )
    point_in_time_recovery: bool = _setting(
        True,
        f"whether tables can be restored to any second of the last {POINT_IN_TIME_RECOVERY_DAYS} days",
        "on",
    )
    encryption_key: Literal["aws", "own"] = _setting(
        "aws",
        "the key of tables, archive and cache: one that AWS manages, or one of the deployment's own, which costs $1 a "
        "month and whose use CloudTrail records",
        "own",
    )
    archive_bucket: str | None = _setting(
        None,
        "name of the archive's bucket, 3 to 63 lower-case letters, digits, dots and hyphens; by default CloudFormation "
        "makes one up. Set it with the first deployment, or to import a retained bucket: another name later is refused",
        "acme-agent-memory-archive",
        pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$",
    )
    archive_lock_days: int | None = _integer(
        None,
        1,
        EXPIRE_AFTER_DAYS,
        "days for which nobody can delete what was written to the archive's bucket (S3 Object Lock in compliance "
        "mode), {range}; by default there is no lock; once there is one, it cannot be turned off",
        "365",
    )
    anchor_bucket: str | None = _setting(
        None,
        "name of a bucket of another account, in which the nightly job also stores the ends of the chains of seals, so "
        "that nobody who rules this account can replace the archive unseen; that bucket's policy has to allow it",
        "acme-audit-anchors",
        pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$",
    )
    write_shards: int = _integer(
        1,
        1,
        MAX_SHARDS,
        "partitions over which an agent's new decisions are spread, {range}; one supports 1,000 write units per "
        "second, and more of them make reads more expensive",
        "4",
    )
    audit_trail: Literal["off", "writes", "all"] = _setting(
        "off",
        "which calls to tables and archive CloudTrail records, in a bucket of its own; 100,000 calls cost $0.10",
        "writes",
    )

    # --- recall ---
    embedder: Literal["off", "bedrock"] = _setting(
        "off",
        "what turns texts into vectors, so that `recall` ranks by meaning too, in aws: Titan Text Embeddings V2 on "
        "Amazon Bedrock, in a region that has it; with a cache, its VPC gets an endpoint, $7.30 a month",
        "bedrock",
    )

    recall_weights: str = _setting(
        "",
        "the weights of `recall`'s score for calls that give none, by name and separated by commas: `importance`, "
        "`text`, `meaning` and `outcome`; by default 1, 1, 0.5 and 0.5",
        "meaning=0.7,outcome=0",
    )

    # --- nightly job ---
    nightly_time: str = _setting(
        "00:10", "when the nightly job starts, HH:MM in `time_zone`", pattern=r"^([01]\d|2[0-3]):[0-5]\d$"
    )
    time_zone: str = _setting("UTC", "an IANA time zone", "Europe/Berlin")
    map_concurrency: int = _integer(
        5,
        1,
        1_000,
        "agents that the nightly job processes concurrently, {range}; at most `nightly_concurrency`, if that is set",
    )

    decisions_per_part: int = _integer(
        DEFAULT_ROWS_PER_PART,
        1,
        MAX_ROWS_PER_PART,
        "decisions of an agent's day from which on several machines read it, {range}: about so many each; a file of "
        "evidence has at most so many",
    )

    # --- cache and network ---
    cache: bool = _setting(
        True,
        "whether there is a cache for short-term memory, and the VPC that it needs; without it, decisions, long-term "
        "memory and states work as usual, and calls of short-term memory report that it is off",
        "off",
    )
    cache_node_type: str = _setting(
        CACHE.node_type, "the ElastiCache node type", pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$"
    )
    cache_nodes: int = _integer(
        1, 1, 6, "cache nodes, {range}; with two or more, a replica takes over when the first fails"
    )
    direct_agents: str = _setting(
        "",
        "ids of agents that use the cache directly, from the VPC, separated by commas: each gets a user of the cache "
        "that may use the agent's own keys only",
        "market-hunter,scout",
    )
    redis_endpoint: str | None = _setting(
        None, "host:port or URL of the running Redis or Valkey that a local deployment uses", "127.0.0.1:6379"
    )
    emulator_python: str | None = _setting(
        None,
        "the Python version on which an emulator runs functions that see none of its own packages; a local deployment "
        "then has the layers of third-party packages as well",
        "3.13",
        pattern=r"^3\.\d{1,2}$",
    )
    flow_logs: Literal["off", "rejected", "all"] = _setting(
        "rejected", "which traffic of the cache's VPC is logged, in aws", "all"
    )

    # --- tools for models ---
    gateway_agents: str = _setting(
        "",
        "ids of agents whose tools are at a gateway of Bedrock AgentCore each, separated by commas, in aws; by default "
        "there is none",
        "market-hunter,scout",
    )
    gateway_read_only: bool = _setting(
        False, "whether the gateways of `gateway_agents` have only the tools that do not write", "true"
    )

    # --- operations ---
    log_retention_days: int = _setting(LOG_DAYS, "days for which CloudWatch keeps logs, one of its fixed steps")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting("INFO", "the functions' log level")
    metrics_namespace: str = _setting(
        _METRICS,
        "the CloudWatch namespace of the product's own metrics; by default it ends with `prefix` where that is set, so "
        "that stages do not mix",
        pattern=r"^[A-Za-z0-9._\-/#]{1,255}$",
    )
    dashboard: bool = _setting(
        False,
        "whether there is a CloudWatch dashboard, for which AWS charges $3 a month",
        "true",
    )
    summary_alarm: bool = _setting(
        False,
        "whether one more alarm, memory-degraded, is active while any critical alarm is, for a pager, in aws; AWS "
        "charges $0.50 a month for it, and every alarm is announced in the same topic anyway",
        "true",
    )
    trace_requests: bool = _setting(
        False,
        "whether X-Ray traces requests to the API, for while a problem is looked for: Lambda records one request per "
        "second and 5 % of the others, and AWS charges $5 per million traces; nightly jobs are always traced",
        "true",
    )
    decisions_expected_hours: int | None = _integer(
        None,
        1,
        24,
        "hours without a decision after which an alarm goes off, {range}; by default there is no such alarm",
        "2",
    )
    alarm_email: str | None = _setting(
        None, "who gets the alarms by e-mail", "ops@example.com", pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
    )

    # --- limits: what a runaway agent runs into ---
    monthly_budget_usd: float | None = _setting(
        None,
        "US dollars per month that the deployment may cost before ops are notified; by default there is no budget",
        "25",
        gt=0,
        le=1_000_000,
    )
    api_requests_per_second: int = _integer(100, 1, 10_000, "the API's throttle, {range}")
    api_burst: int = _integer(200, 1, 5_000, "requests that the API accepts at once, {range}")
    api_search_requests_per_second: int = _integer(
        20, 1, 10_000, "the throttle of each route that reads many items, {range}"
    )
    api_search_burst: int = _integer(
        40, 1, 5_000, "requests that each route that reads many items accepts at once, {range}"
    )
    api_concurrency: int = _integer(
        0, 0, 1_000, "concurrency that is reserved for the API's function, {range}; 0: none is reserved", "50"
    )
    nightly_concurrency: int = _integer(
        0,
        0,
        1_000,
        "concurrency that is reserved for each of the five nightly functions, {range}, at least `map_concurrency`; 0: "
        "none is reserved",
        "5",
    )
    account_concurrency: int | None = _integer(
        None,
        1,
        1_000_000,
        "concurrent executions that the account's quota of Lambda allows, {range}, against which the other settings of "
        "concurrency are checked; new accounts have as few as 10, others 1,000; by default nothing is checked",
        "10",
    )
    table_max_write_units: int = _integer(
        4_000,
        0,
        _DYNAMODB_UNITS,
        "write units per second that each table and index may use, {range}; more is throttled and retried; 0: the "
        "highest of these",
    )
    table_max_read_units: int = _integer(
        12_000,
        0,
        _DYNAMODB_UNITS,
        "read units per second that each table and index may use, {range}; 0: the highest of these",
    )

    @model_validator(mode="before")
    @classmethod
    def _dependent_defaults(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Add the defaults that depend on other settings; what is set explicitly wins."""
        defaults: dict[str, Any] = dict(DEV) if settings.get("environment") == "dev" else {}
        default_prefix = cls.model_fields["prefix"].default
        prefix = settings.get("prefix", default_prefix)
        if prefix != default_prefix and _PREFIX.fullmatch(str(prefix)):
            defaults["metrics_namespace"] = f"{_METRICS}/{prefix}"
        return {**defaults, **settings}

    @field_validator("prefix")
    @classmethod
    def _check_prefix(cls, prefix: str) -> str:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("it does not follow this pattern")
        return prefix

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        if name == "UTC":  # known even where no time zone database is installed
            return name
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("there is no such time zone") from None
        return name

    @field_validator("log_retention_days")
    @classmethod
    def _check_log_retention(cls, days: int) -> int:
        if days not in LOG_RETENTION:
            raise ValueError(f"CloudWatch offers {', '.join(map(str, LOG_RETENTION))}")
        return days

    @field_validator("recall_weights")
    @classmethod
    def _check_recall_weights(cls, text: str) -> str:
        _or_value_error(weights_in, text)
        return text

    @field_validator("gateway_agents")
    @classmethod
    def _check_gateway_agents(cls, text: str) -> str:
        return ",".join(_agents_in(text))

    @field_validator("direct_agents")
    @classmethod
    def _check_direct_agents(cls, text: str) -> str:
        found = _agents_in(text)
        if len(found) > _MAX_DIRECT_AGENTS:
            raise ValueError(f"{len(found)} agents; a group of users in ElastiCache has at most 100 members")
        return ",".join(found)

    @field_validator("redis_endpoint")
    @classmethod
    def _check_endpoint(cls, endpoint: str | None) -> str | None:
        if endpoint is None:
            return None
        if "://" in endpoint:
            return _or_value_error(redis_url, endpoint)
        host, _, port = endpoint.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise ValueError("it is not host:port")
        return endpoint

    @model_validator(mode="after")
    def _check_profile(self) -> Self:
        if self.is_local:
            self._check_local()
        elif self.redis_endpoint is not None:
            raise ValueError("redis_endpoint: only profile=local uses it; in aws the cache stack creates a cache")
        elif self.emulator_python is not None:
            raise ValueError("emulator_python: only profile=local uses it; in aws functions run on Python 3.13")
        if self.account is not None and self.region is None:
            raise ValueError("region: is required together with account")
        if self.region is not None:
            self._check_region(self.region)
        self._check_concurrency()
        return self

    def _check_local(self) -> None:
        if self.cache and self.redis_endpoint is None:
            raise ValueError("redis_endpoint: is required with profile=local")
        for setting, is_set, reason in (
            ("archive_lock_days", self.archive_lock_days is not None, "its data can always be deleted"),
            ("audit_trail", self.audit_trail != "off", "the local cloud has no CloudTrail"),
            ("gateway_agents", self.gateway_agents != "", "the local cloud has no AgentCore"),
            ("embedder", self.embedder != "off", "the local cloud has no Bedrock"),
            ("encryption_key", self.encryption_key != "aws", "the local cloud does not encrypt"),
        ):
            if is_set:
                raise ValueError(f"{setting}: profile=local does not support it; {reason}")

    def _check_region(self, region: str) -> None:
        if self.monthly_budget_usd is not None and not self.is_local and is_missing(BUDGET, region):
            raise ValueError(
                f"monthly_budget_usd: CloudFormation has no budgets in {region}; leave the setting out there and "
                "create the budget in the billing console"
            )
        if self.gateway_agents and any(is_missing(kind, region) for kind in (GATEWAY, GATEWAY_TARGET)):
            raise ValueError(
                f"gateway_agents: CloudFormation has no gateways of Bedrock AgentCore in {region}; leave the setting "
                "out there, or serve the tools with agent-memory mcp"
            )

    def _check_concurrency(self) -> None:
        """A step that finds its function's reservation used up is throttled, and so are callers of a full account."""
        if 0 < self.nightly_concurrency < self.map_concurrency:
            raise ValueError(
                f"nightly_concurrency: {self.nightly_concurrency} is less than map_concurrency={self.map_concurrency}, "
                f"so that agents' steps would be throttled; reserve {self.map_concurrency} or more, or lower "
                "map_concurrency"
            )
        if self.account_concurrency is None or self.is_local:
            return
        if self.map_concurrency >= self.account_concurrency:
            raise ValueError(
                f"map_concurrency: the nightly job would use all {self.account_concurrency} concurrent executions of "
                "account_concurrency, and the API would be throttled meanwhile; choose fewer"
            )
        reserved = self.api_concurrency + _NIGHTLY_FUNCTIONS * self.nightly_concurrency
        if reserved and reserved + _UNRESERVED_CONCURRENCY > self.account_concurrency:
            raise ValueError(
                f"account_concurrency: api_concurrency={self.api_concurrency} and five times "
                f"nightly_concurrency={self.nightly_concurrency} reserve {reserved}, and Lambda keeps "
                f"{_UNRESERVED_CONCURRENCY} for functions without a reservation, which is more than "
                f"{self.account_concurrency}; reserve less, or ask AWS for a higher quota"
            )

    @classmethod
    def from_context(cls, context: Mapping[str, Any], *, default_region: str | None = None) -> Self:
        """Build the settings from CDK context; keys of CDK itself are ignored.

        Args:
            context: the keys and their values.
            default_region: the region of the credentials, which is deployed to where `region` is not set.

        Raises:
            ConfigError: a key is unknown or its value invalid; the message says what to do.
        """
        settings = _with_current_names(_settings_in(context))
        unknown = sorted(settings.keys() - cls.model_fields.keys())
        if unknown:
            raise ConfigError("\n".join(unknown_setting(key, list(cls.model_fields)) for key in unknown))
        try:
            cls(**{"region": default_region, **settings})  # checks the settings for the region that is deployed to
            return cls(**settings)
        except ValidationError as error:
            raise ConfigError("\n".join(invalid_setting(cls, dict(one)) for one in error.errors())) from None

    @property
    def is_local(self) -> bool:
        """Whether the stacks are deployed into the local cloud."""
        return self.profile == "local"

    @property
    def data_outlives_stack(self) -> bool:
        """Whether deleting a stack retains tables and archive."""
        return not self.is_local if self.keep_data is None else self.keep_data

    @property
    def direct_agent_ids(self) -> tuple[str, ...]:
        """The agents of `direct_agents`."""
        return tuple(one for one in self.direct_agents.split(",") if one)

    @property
    def gateway_agent_ids(self) -> tuple[str, ...]:
        """The agents of `gateway_agents`."""
        return tuple(one for one in self.gateway_agents.split(",") if one)

    @property
    def python_version(self) -> str:
        """Python version of the functions, as "3.13"; the local cloud runs them on this interpreter."""
        if not self.is_local:
            return "3.13"
        return self.emulator_python or f"3.{sys.version_info.minor}"

    @property
    def architecture(self) -> Architecture:
        """Processor architecture of the functions; in the local cloud this machine's."""
        if not self.is_local:
            return "arm64"
        return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"

    @property
    def table_limits(self) -> tuple[int, int]:
        """Read and write units per second of a table or an index; 0 as the highest that can be set.

        A template that names no limit leaves one as it is, and CloudFormation refuses -1, DynamoDB's "no limit".
        """
        return self.table_max_read_units or _DYNAMODB_UNITS, self.table_max_write_units or _DYNAMODB_UNITS

    @property
    def nightly_hour_and_minute(self) -> tuple[str, str]:
        """`nightly_time` as cron fields, without leading zeros."""
        hour, minute = self.nightly_time.split(":")
        return str(int(hour)), str(int(minute))


def deprecations(context: Mapping[str, Any]) -> list[str]:
    """A message for each setting in the context that is set by its former name."""
    return [
        f"context key {key} is deprecated: the setting is called {RENAMED[key]} now; rename it in cdk.json or after -c"
        for key in _settings_in(context)
        if key in RENAMED
    ]


def _or_value_error(check: Callable[[str], _Checked], value: str) -> _Checked:
    """What a check of the library returns; pydantic reports the error as one of the setting."""
    try:
        return check(value)
    except InvalidInput as error:
        raise ValueError(error.message) from None


def _agents_in(text: str) -> list[str]:
    found = [_or_value_error(check_agent_id, one.strip()) for one in text.split(",") if one.strip()]
    if len(found) != len(set(found)):
        raise ValueError("an agent is named twice")
    return found


def _settings_in(context: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in context.items()
        if _SETTING_NAME.match(key) and key not in _CDK_KEYS and value is not None
    }


def _with_current_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    for former, current in RENAMED.items():
        if former in settings and current in settings:
            raise ConfigError(
                f"context key {former}: it is called {current} now, which is set as well; remove {former}"
            )
    return {RENAMED.get(key, key): value for key, value in settings.items()}
