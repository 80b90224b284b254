"""Settings changed after a deployment: `python -m tests.local.changed_settings` changes each one in a local cloud.

The templates for AWS are deployed with the CDK command line, then again with another value of each setting in turn.
Each time everything that depends on the setting has to have the new value (`setting_consumers`), and nothing may name
a resource that the change has removed; or the change is refused, and nothing has changed. A table shows where each
setting was seen. The settings are the fields of `DeployConfig`: one that is not changed here is an error.
"""

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import LocalCloud, LocalCloudError
from local.layout import Layout
from stacks.config import DeployConfig
from tests.local.aws_templates import Deployment
from tests.local.deployed_resources import Resources, deployed_resources, differences, physical_ids
from tests.local.setting_consumers import (
    CONSUMERS,
    OF_DEV,
    OF_LOCAL,
    PREFIX,
    TRAIL_OF_WRITES,
    Consumer,
    View,
    cache_followers,
)
from tests.stacks.changed_values import BEFORE, OTHER_VALUES

CHECKED_ONLY = "account_concurrency"
"""The setting that no template contains: others are checked against it."""

NOT_TURNED_BACK = frozenset({"archive_lock_days", "audit_trail", "encryption_key", "gateway_agents"})
"""S3 refuses to turn off the first and CloudFormation the last; trail and gateways are turned off one by one."""

# What is refused: the settings that are changed, and a pattern of the error.
REFUSED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "archive_bucket": (
        {"archive_bucket": OTHER_VALUES["archive_bucket"]},
        r"Export agent-memory-storage:ArchiveBucket\w+ cannot be deleted as it is in use by .*changing-a-deployment",
    ),
    "encryption_key": (
        {"encryption_key": "aws"},
        r"Export agent-memory-storage:ExportsOutputFnGetAttKey\w+ cannot be deleted as it is in use by .*nightly",
    ),
    CHECKED_ONLY: ({CHECKED_ONLY: "3"}, "map_concurrency: .* all 3 .*; choose fewer"),
    "account": (
        {"account": "111111111111", "region": "us-east-1"},
        "Need to perform AWS calls for account 111111111111, but the current credentials are for 000000000000",
    ),
    "profile": ({"profile": "local"}, "redis_endpoint: is required with profile=local"),
    "redis_endpoint": ({"redis_endpoint": "127.0.0.1:6379"}, "redis_endpoint: only profile=local uses it"),
    "emulator_python": ({"emulator_python": "3.12"}, "emulator_python: only profile=local uses it"),
}

# Another deployment beside the first: its settings, the account of its credentials, and what nothing in it may name.
BESIDE: Mapping[str, tuple[Mapping[str, str], str, tuple[str, ...]]] = {
    "prefix": ({"prefix": "desk"}, "000000000000", (f"{PREFIX}-", f"{PREFIX}/", "agent_memory_archive")),
    "account, region": (
        {"account": "111111111111", "region": "eu-central-1"},
        "111111111111",
        ("000000000000", "us-east-1"),
    ),
}


@dataclass
class Row:
    """A line of the table: a setting, its change, where it was seen, and what is wrong."""

    setting: str
    change: str
    seen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        text = f"{self.setting} | {self.change} | {'; '.join(self.seen)}"
        return "\n".join([text, *(f"    WRONG: {one}" for one in self.problems)])


class Trial:
    """A deployment whose settings are changed; each change returns a row of the table."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        deployment.deploy()
        self._view = self._look()

    def change(self, setting: str, value: str | None, consumers: Iterable[Consumer], **others: str | None) -> Row:
        """Change a setting, and others with it, and look at all that depends on it before and after.

        Something deployed has to differ, unless all that depends on the setting is not in the emulator.
        """
        row = Row(setting, f"{self._value(setting)} → {self._value(setting, value)}")
        consumers = list(consumers)
        for one in consumers:
            row.problems += [f"before: {problem}" for problem in one.problems(self._view, one.before)]
        before = self._view.deployed
        row.problems += self._deploy({setting: value, **others})
        for one in consumers:
            row.problems += one.problems(self._view, one.after)
        row.seen += [one.what for one in consumers]
        changed = differences(before, self._view.deployed)
        row.seen.append(f"changed: {_summary(changed)}" if changed else "nothing that is deployed differs")
        if bool(changed) != any(one.is_deployed for one in consumers):
            row.problems.append(f"{len(changed)} resources differ: {', '.join(changed)}")
        return row

    def refused(self, setting: str, changed: Mapping[str, str], pattern: str) -> Row:
        """Try a change that is refused, and check that nothing that is deployed differs."""
        row = Row(setting, " ".join(f"{name}={value}" for name, value in changed.items()))
        try:
            self._deployment.deploy(**changed)
        except LocalCloudError as error:
            message = re.sub(r" \(log: .*\)$", "", str(error))
            row.seen.append(f"refused: {message}")
            if not re.search(pattern, message):
                row.problems.append(f"the message does not match {pattern}")
        else:
            row.problems.append("it is not refused")
        row.problems += self.changes()
        return row

    def turn_back(self, settings: Iterable[str]) -> Row:
        """Set settings back to what they were in the beginning, at once, and look at all that depends on them."""
        settings = list(settings)
        row = Row("all of these, at once", "back")
        row.problems += self._deploy({name: BEFORE.get(name) for name in settings})
        consumers = [(setting, one) for setting in settings for one in CONSUMERS[setting]]
        for setting, one in consumers:
            row.problems += [f"{setting}: {problem}" for problem in one.problems(self._view, one.before)]
        row.seen.append(f"{', '.join(settings)}: each of the {len(consumers)} places above")
        return row

    def remove_stack(self, setting: str, name: str) -> Row:
        """Remove a stack that a setting has turned off, as the message of the command line says."""
        command = f"aws cloudformation delete-stack --stack-name {PREFIX}-{name}"
        row = Row(setting, f"the stack {name} is removed", [command])
        if command not in self._deployment.said:
            row.problems.append("the command line does not name it")
        cloudformation = self._deployment.session.client("cloudformation")
        cloudformation.delete_stack(StackName=f"{PREFIX}-{name}")
        deadline = time.monotonic() + 60
        while any(one.startswith(f"{PREFIX}-{name}/") for one in self._ids()):
            if time.monotonic() > deadline:
                row.problems.append("it is still there")
                break
            time.sleep(0.2)
        self._view = self._look()
        return row

    def changes(self) -> list[str]:
        """The resources that differ from what they were after the last deployment."""
        found = differences(self._view.deployed, self._look().deployed)
        return [f"it changed {one}" for one in found]

    def _deploy(self, settings: Mapping[str, str | None]) -> list[str]:
        """Deploy with changed settings; returns who still names a resource that is removed by that."""
        before = set(self._ids().values())
        self._deployment.deploy(**settings)
        self._view = self._look()
        removed = before - set(self._ids().values()) - {PREFIX}
        return [
            f"{name} names {gone}, which is removed"
            for name, one in self._view.deployed.items()
            for gone in removed
            if len(gone) > 8 and re.search(rf'["/:]{re.escape(gone)}["/:-]', json.dumps(one))
        ]

    def _value(self, setting: str, *value: str | None) -> object:
        settings = {**self._deployment.settings, **({setting: value[0]} if value else {})}
        config = DeployConfig.from_context({name: one for name, one in settings.items() if one is not None})
        return getattr(config, setting)

    def _look(self) -> View:
        deployment = self._deployment
        resources = deployed_resources(deployment.session, deployment.prefix)
        return View(resources, deployment.templates, deployment.prefix)

    def _ids(self) -> dict[str, str]:
        return physical_ids(self._deployment.session, self._deployment.prefix)


def _summary(changed: Iterable[str]) -> str:
    """How many resources of each kind have changed."""
    kinds = Counter(one[1:].split(":")[0] for one in changed)
    return ", ".join(f"{number} {kind.removesuffix(' of')}" for kind, number in kinds.items())


def missing_settings() -> list[str]:
    """The settings of which no other value is known, or not where it is seen."""
    seen = CONSUMERS.keys() | {"environment"}
    beside = {one for names in BESIDE for one in names.split(", ")}
    changed = (seen & OTHER_VALUES.keys()) | REFUSED.keys() | OF_LOCAL.keys() | beside
    return [one for one in DeployConfig.model_fields if one not in changed]


def change_each(trial: Trial) -> Iterator[Row]:
    """Change every setting of a deployment to AWS, try what is refused, and turn the settings back."""
    settings = [one for one in DeployConfig.model_fields if one in CONSUMERS]
    for setting in settings:
        yield trial.change(setting, OTHER_VALUES[setting], CONSUMERS[setting])
        if setting == "cache":
            yield trial.remove_stack("cache", "cache")
            yield trial.change("cache", "on", cache_followers(is_there_before=False))
        if setting == "audit_trail":
            yield trial.change("audit_trail", "writes", TRAIL_OF_WRITES)
            yield trial.change("audit_trail", "off", ())
            yield trial.remove_stack("audit_trail", "audit")
        if setting == "gateway_read_only":
            yield trial.change("gateway_agents", "", ())
            yield trial.remove_stack("gateway_agents", "gateway")
    yield trial.change(CHECKED_ONLY, OTHER_VALUES[CHECKED_ONLY], ())
    for setting, (changed, pattern) in REFUSED.items():
        yield trial.refused(setting, changed, pattern)
    yield trial.turn_back(one for one in settings if one not in NOT_TURNED_BACK)
    yield trial.change("environment", OTHER_VALUES["environment"], OF_DEV, cache=None)


def deploy_beside(cloud: LocalCloud, first: Trial) -> Iterator[Row]:
    """Change the settings of which another value is another deployment."""
    for names, (settings, account, not_named) in BESIDE.items():
        row = Row(names, ", ".join(f"{name}={value}" for name, value in settings.items()), ["another deployment"])
        deployment = Deployment(cloud, {**BEFORE, **settings}, account)
        deployment.deploy()
        row.problems += _naming(deployed_resources(deployment.session, deployment.prefix), not_named)
        row.problems += first.changes()
        yield row


def _naming(resources: Resources, texts: Iterable[str]) -> list[str]:
    """Who names what is of another deployment; descriptions name pages of the documentation."""
    found = {name: json.dumps(one) for name, one in resources.items() if not name.startswith("template:")}
    return [f"{name} names {one}" for name, text in found.items() for one in texts if one in text]


def change_local(cloud: LocalCloud) -> Iterator[Row]:
    """Change the settings of a local deployment."""
    values = {setting: value for setting, (value, _, _) in OF_LOCAL.items()}
    trial = Trial(Deployment(cloud, {"profile": "local", "prefix": "trial", **values}))
    for setting, (_, value, consumers) in OF_LOCAL.items():
        yield trial.change(setting, value, consumers)


def rows(cloud: LocalCloud) -> Iterator[Row]:
    """The lines of the table, in the order of the deployments."""
    trial = Trial(Deployment(cloud, dict(BEFORE)))
    yield from change_each(trial)
    yield from deploy_beside(cloud, trial)
    yield from change_local(cloud)


def main() -> None:
    """Print the table, and end with 1 if a setting is not changed or something is wrong."""
    if missing := missing_settings():
        sys.exit("\n".join(f"no other value is known of {one}, or not where it is seen" for one in missing))
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        cloud = LocalCloud(Layout(state=Path(folder, "state"))).start()
        try:
            for row in rows(cloud):
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
                wrong += len(row.problems)
        finally:
            cloud.stop()
    sys.exit(f"{wrong} problems" if wrong else 0)


if __name__ == "__main__":
    main()
