"""A walk through all commands of the command line that work on stores, with the answer of each."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent_memory.core.ids import decision_id_for

HUNTER = ["--agent", "walk-hunter"]
BY = ["--by", "alice"]
WHY = [*BY, "--reason", "a test"]
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
OLD = NOON - timedelta(days=40)
YESTERDAY = NOON - timedelta(days=1)
WHALES = ["--type", "PATTERN", "--id", "whales"]

# What differs between two walks through the same commands: when they were made, and where.
_VARYING = {
    "at", "updated_at", "learned_at", "recorded_at", "outcome_recorded_at", "replaced_at", "excluded_at",
    "since_at", "sealed_at", "head", "file", "sha256", "generated_at", "exported_at", "short_term", "levels", "off",
    "score", "forgotten_at", "imported_at", "started_at", "finished_at", "objects_and_versions", "seed",
}  # fmt: skip

Run = Callable[..., Any]


def walk(run: Run, folder: Path) -> dict[str, Any]:  # noqa: PLR0915  one line a command
    """Call every command once, or as often as it takes; returns the answers by command, without what varies.

    Args:
        run: calls a command with these arguments and returns its JSON; `code` is the exit code that it must have.
        folder: for the files that commands write.
    """
    answers: dict[str, Any] = {}

    def call(*arguments: str, code: int = 0) -> Any:
        name = " ".join(arguments[: 2 if arguments[0] in _GROUPS else 1])
        found = run(*arguments, code=code)
        answers.setdefault(name, []).append(_plain(found))
        return found

    for name, at, success in (("old", OLD, True), ("first", YESTERDAY, True), ("second", YESTERDAY, False)):
        logged_id = decision_id_for("QUERY", at, name)
        said = json.dumps({"source": "whales", "strategy": "buy" if success else "wait"})
        based_on = ["--memory", "whales"] if name == "second" else []
        parent = ["--parent", decision_id_for("QUERY", YESTERDAY, "first")] if name == "second" else []
        context = json.dumps({"market": {"trend": "up"}, "text": f"{name} – whales buy"})
        where = ["--type", "QUERY", "--context", context, "--reasoning", said, "--at", at.isoformat()]
        call("decisions", "log", *HUNTER, "--id", logged_id, *where, *based_on, *parent)
        success_option = "--success" if success else "--failure"
        call(
            "decisions",
            "outcome",
            logged_id,
            *HUNTER,
            success_option,
            "--metrics",
            '{"quality": 0.5}',
            "--at",
            at.isoformat(),
        )
    first = decision_id_for("QUERY", YESTERDAY, "first")
    call("decisions", "list", *HUNTER)
    call("decisions", "list", *HUNTER, "--limit", "1", "--newest-first", code=1)
    call("decisions", "list", *HUNTER, "--status", "failed", "--memory", "whales")
    with_words = call("decisions", "list", *HUNTER, "--text", "Second BUY")
    assert [one["decision_id"] for one in with_words] == [decision_id_for("QUERY", YESTERDAY, "second")]
    call("decisions", "show", first, *HUNTER)
    call("decisions", "chain", first, *HUNTER)
    call("decisions", "stats", *HUNTER, "--by", "reasoning.strategy")
    call("decisions", "exclude", *HUNTER, "--decision", first, *WHY)
    call("decisions", "exclusions", *HUNTER)
    call("decisions", "include", *HUNTER, "--exclusion", "1", *BY)

    call("memory", "put", *HUNTER, *WHALES, "--data", '{"text": "whales buy", "confidence": 0.7}', *WHY)
    call("memory", "put", *HUNTER, *WHALES, "--data", '{"text": "whales sell", "confidence": 0.6}', *WHY)
    call("memory", "get", *HUNTER, "--type", "PATTERN")
    call("memory", "get", *HUNTER, *WHALES)
    call("memory", "recall", "whales", *HUNTER)
    call("memory", "levels", *HUNTER, "--to", NOON.isoformat())
    call("memory", "history", *HUNTER, *WHALES)
    call("memory", "changes", *HUNTER, "--author", "alice")
    call("memory", "revert", *HUNTER, *WHALES, "--version", "1", *WHY)
    call("memory", "influence", *HUNTER, "--id", "whales")
    call("memory", "quarantine", *HUNTER, "--id", "whales", *WHY)
    call("memory", "quarantines", *HUNTER)
    call("memory", "release", *HUNTER, "--id", "whales", *WHY)

    call("patterns", "list", *HUNTER)
    call("patterns", "show", "whales", *HUNTER)
    call("patterns", "trend", "whales", *HUNTER)
    call("memory", "remove", *HUNTER, *WHALES, *WHY)
    options = ["--option", "buy", "--option", "wait", "--choose", "greedy", "--seed", "1"]
    call("advise", *HUNTER, "--type", "QUERY", "--context", '{"market": {"trend": "up"}}', *options)

    call("learning", "pause", *HUNTER, *WHY)
    call("learning", "status", *HUNTER)
    call("learning", "resume", *HUNTER, *BY)
    call("nightly", "status", *HUNTER, code=1)
    call("nightly", "run", *HUNTER)
    call("nightly", "status", *HUNTER)
    call("learning", "rebuild", *HUNTER, "--since", YESTERDAY.date().isoformat(), *WHY)
    call("nightly", "run", *HUNTER)
    call("archive", "verify", *HUNTER)
    call("archive", "restore", *HUNTER, "--dry-run")
    call("experiments", *HUNTER)
    call("crowding", *HUNTER)
    call("trading", "tune", *HUNTER)
    call("report", *HUNTER)
    call("export", str(folder / "hunter.zip"), *HUNTER)
    call("forget", *HUNTER, "--yes")
    call("import", str(folder / "hunter.zip"), *HUNTER)
    call("push", "--to", f"sqlite:///{folder}/copy.db", *HUNTER)
    return answers


_GROUPS = {"archive", "decisions", "learning", "memory", "nightly", "patterns", "trading"}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name not in _VARYING}
    return [_plain(one) for one in value] if isinstance(value, list) else value
