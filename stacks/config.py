"""`DeployConfig`: every setting of a deployment, read from CDK context and checked in this one place."""

import platform
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from agent_memory.core.ids import MAX_SHARDS
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, LOG_DAYS, POINT_IN_TIME_RECOVERY_DAYS
from agent_memory.storage.schema import CACHE
from stacks.config_problems import problem, unknown_key
from stacks.environments import DEV, Environment
from stacks.log_retention import LOG_RETENTION
from stacks.spike_limits import SpikeLimits

Profile = Literal["aws", "local"]
Architecture = Literal["arm64", "x86_64"]

# CDK's own context keys carry a colon, a slash or a hyphen; a key of ours is a plain name.
_OUR_KEY = re.compile(r"[a-z][a-z0-9_]*\Z")
_KEYS_OF_THE_CDK = frozenset({"tree", "notices"})

_METRICS = "BTCAgent/Memory"
_PREFIX = re.compile(r"(?=.{2,24}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")


class ConfigError(ValueError):
    """A context key that cannot be used. The text names the key, what is wrong and what to do."""


class DeployConfig(SpikeLimits):
    """Settings of one deployment. Each field is the CDK context key of the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, validate_default=True)

    profile: Profile = Field(default="aws", description="where the stacks are deployed", examples=["aws"])
    environment: Environment = Field(
        default="prod",
        description="what the deployment is for; it changes defaults of other settings and nothing else",
        examples=["dev"],
    )
    prefix: str = Field(
        default="agent-memory",
        description="begins the name of every stack, table and function; 2 to 24 lower-case letters, digits "
        "and single hyphens, a letter first",
        examples=["agent-memory"],
    )
    account: str | None = Field(
        default=None, pattern=r"^\d{12}$", description="the AWS account, 12 digits", examples=["123456789012"]
    )
    region: str | None = Field(
        default=None,
        pattern=r"^[a-z]{2}(-[a-z]+)+-\d$",
        description="the AWS region; left out, the credentials decide",
        examples=["eu-central-1"],
    )
    keep_data: bool | None = Field(
        default=None,
        description="whether tables and archive outlive their stack; left out: yes in aws, no in local",
        examples=["true"],
    )
    point_in_time_recovery: bool = Field(
        default=True,
        description=f"whether tables can be restored to any second of the last {POINT_IN_TIME_RECOVERY_DAYS} days",
        examples=["on"],
    )
    encryption_key: Literal["aws", "own"] = Field(
        default="aws",
        description="the key of tables, archive and cache: one that AWS manages, or one of this deployment's own, "
        "which costs $1 a month and whose use is on record in CloudTrail",
        examples=["own"],
    )
    archive_bucket: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]$",
        description="name of the archive's bucket, 3 to 63 lower-case letters, digits, dots and hyphens; left out, "
        "CloudFormation makes one up. Choose it with the first deployment, or to take back a bucket that an earlier "
        "one left: another name later is another bucket",
        examples=["acme-agent-memory-archive"],
    )
    archive_lock_days: int | None = Field(
        default=None,
        ge=1,
        le=EXPIRE_AFTER_DAYS,
        description="days for which nobody can delete what was written to the archive bucket (S3 Object Lock, "
        f"compliance mode), 1 to {EXPIRE_AFTER_DAYS:,}; left out, there is no lock; only a new bucket can be given one",
        examples=["365"],
    )
    night_time: str = Field(
        default="00:10",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description="when the nightly learning starts, HH:MM in `time_zone`",
        examples=["00:10"],
    )
    time_zone: str = Field(default="UTC", description="an IANA time zone", examples=["Europe/Berlin"])
    map_concurrency: int = Field(
        default=5, ge=1, le=1_000, description="agents that learn side by side, 1 to 1,000", examples=["5"]
    )
    cache: bool = Field(
        default=True,
        description="whether there is a cache for short-term memory, and the VPC that it needs; "
        "without one, decisions, long-term memory and states work as ever and short-term memory says that it is off",
        examples=["off"],
    )
    cache_node_type: str = Field(
        default=CACHE.node_type,
        pattern=r"^cache\.[a-z0-9]+\.[a-z0-9]+$",
        description="the ElastiCache node type",
        examples=[CACHE.node_type],
    )
    cache_nodes: int = Field(
        default=1,
        ge=1,
        le=6,
        description="cache nodes, 1 to 6; from 2 on a replica takes over when the first fails",
        examples=["1"],
    )
    redis_endpoint: str | None = Field(
        default=None,
        description="host:port of the running Redis or Valkey that a local deployment uses",
        examples=["127.0.0.1:6379"],
    )
    flow_logs: Literal["off", "rejected", "all"] = Field(
        default="rejected", description="which traffic of the cache's VPC is logged, in aws", examples=["all"]
    )
    audit_trail: Literal["off", "writes", "all"] = Field(
        default="off",
        description="which calls on tables and archive CloudTrail keeps on record, in a bucket of their own; "
        "each 100,000 calls cost $0.10",
        examples=["writes"],
    )
    log_retention_days: int = Field(
        default=LOG_DAYS, description="days that CloudWatch keeps logs, one of its fixed steps", examples=["30"]
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="the functions' log level", examples=["INFO"]
    )
    metrics_namespace: str = Field(
        default=_METRICS,
        pattern=r"^[A-Za-z0-9._\-/#]{1,255}$",
        description="the CloudWatch namespace of the product's own metrics; left out where `prefix` is given, it ends "
        "with that, so that stages do not mix",
        examples=["BTCAgent/Memory"],
    )
    write_shards: int = Field(
        default=1,
        ge=1,
        le=MAX_SHARDS,
        description="partitions that an agent's new decisions are spread over, 1 to 32; one takes 1,000 write units "
        "a second, and more make reads dearer",
        examples=["4"],
    )
    dashboard: bool = Field(
        default=False,
        description="whether there is a CloudWatch dashboard; AWS charges $3 a month for it",
        examples=["true"],
    )
    trace_requests: bool = Field(
        default=True,
        description="whether X-Ray traces every request to the API; AWS charges $5 a million",
        examples=["false"],
    )
    decisions_expected_hours: int | None = Field(
        default=None,
        ge=1,
        le=24,
        description="an alarm goes off when no decision was logged for so many hours, 1 to 24; left out, none does",
        examples=["2"],
    )
    monthly_budget_usd: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="US dollars a month that the deployment's tag may cost before ops are told; left out, no budget",
        examples=["25"],
    )
    alarm_email: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
        description="who gets the alarms by e-mail",
        examples=["ops@example.com"],
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that hang on other settings; what is given explicitly always wins."""
        defaults: dict[str, Any] = dict(DEV) if given.get("environment") == "dev" else {}
        prefix = given.get("prefix", cls.model_fields["prefix"].default)
        if prefix != cls.model_fields["prefix"].default and _PREFIX.fullmatch(str(prefix)):
            defaults["metrics_namespace"] = f"{_METRICS}/{prefix}"
        return {**defaults, **given}

    @field_validator("prefix")
    @classmethod
    def _prefix_is_a_name(cls, prefix: str) -> str:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("is not such a name")
        return prefix

    @field_validator("time_zone")
    @classmethod
    def _time_zone_exists(cls, name: str) -> str:
        if name == "UTC":  # known even where no time zone database is installed
            return name
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("there is no such time zone") from None
        return name

    @field_validator("log_retention_days")
    @classmethod
    def _retention_is_offered(cls, days: int) -> int:
        if days not in LOG_RETENTION:
            raise ValueError(f"CloudWatch offers {', '.join(map(str, LOG_RETENTION))}")
        return days

    @field_validator("redis_endpoint")
    @classmethod
    def _endpoint_is_host_and_port(cls, endpoint: str | None) -> str | None:
        if endpoint is None:
            return None
        host, _, port = endpoint.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise ValueError("is not host:port")
        return endpoint

    @model_validator(mode="after")
    def _fits_the_profile(self) -> Self:
        if self.is_local and self.cache and self.redis_endpoint is None:
            raise ValueError("redis_endpoint: is needed with profile=local")
        if not self.is_local and self.redis_endpoint is not None:
            raise ValueError("redis_endpoint: only profile=local takes one; in aws the cache stack brings its own")
        if self.is_local and self.archive_lock_days is not None:
            raise ValueError("archive_lock_days: profile=local takes none; its data can always be thrown away")
        if self.is_local and self.audit_trail != "off":
            raise ValueError("audit_trail: profile=local takes none; the local cloud has no CloudTrail")
        if self.is_local and self.encryption_key != "aws":
            raise ValueError("encryption_key: profile=local takes none of its own; the local cloud encrypts nothing")
        if self.account is not None and self.region is None:
            raise ValueError("region: is needed beside account")
        return self

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> Self:
        """Build the settings from all CDK context; keys of the CDK itself are passed over.

        Raises:
            ConfigError: a key is unknown or its value unusable; the text says what to do.
        """
        ours = {
            key: value
            for key, value in context.items()
            if _OUR_KEY.match(key) and key not in _KEYS_OF_THE_CDK and value is not None
        }
        unknown = sorted(ours.keys() - cls.model_fields.keys())
        if unknown:
            raise ConfigError("\n".join(unknown_key(key, list(cls.model_fields)) for key in unknown))
        try:
            return cls(**ours)
        except ValidationError as error:
            raise ConfigError("\n".join(problem(cls, dict(one)) for one in error.errors())) from None

    @property
    def is_local(self) -> bool:
        """Whether the stacks go into the local cloud."""
        return self.profile == "local"

    @property
    def data_outlives_stack(self) -> bool:
        """Whether deleting a stack leaves tables and archive behind."""
        return not self.is_local if self.keep_data is None else self.keep_data

    @property
    def python_version(self) -> str:
        """Python of the functions, as "3.13": the local cloud runs them on the interpreter at hand."""
        return f"3.{sys.version_info.minor}" if self.is_local else "3.13"

    @property
    def architecture(self) -> Architecture:
        """Processor of the functions: in the local cloud the machine's own."""
        if not self.is_local:
            return "arm64"
        return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"

    @property
    def night_hour_and_minute(self) -> tuple[str, str]:
        """`night_time` as cron fields, without leading zeros."""
        hour, minute = self.night_time.split(":")
        return str(int(hour)), str(int(minute))
