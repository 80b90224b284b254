"""Every command: it works on a file, it is documented, and it takes the options that all commands share."""

import json
from pathlib import Path

import pytest
import typer

from agent_memory import connect
from agent_memory.cli import main
from agent_memory.cli.app import app
from agent_memory.cli.reference import page
from agent_memory.storage import store_urls
from tests.command_walk import HUNTER, walk

ROOT = Path(__file__).parents[3]
# They work on a deployment, on templates or on bars, and not on stores.
WITHOUT_STORES = {"doctor", "policy", "cost", "backtest", "demo", "paper", "trading page"}

# They run until they are stopped, and answer by a protocol.
SERVERS = {"mcp", "ui"}


def commands(group=None, name=""):
    """All commands that are not other names of one, with their full names."""
    group = group or typer.main.get_command(app)
    for own, command in group.commands.items():
        full = f"{name} {own}".strip()
        if not command.hidden:
            yield from commands(command, full) if hasattr(command, "commands") else [(full, command)]


@pytest.fixture
def run(tmp_path, capsys):
    """Calls commands on a file."""

    def call(*arguments, code=0):
        assert main([*arguments, "--store", f"sqlite:///{tmp_path}/memory.db", "--json"]) == code, capsys.readouterr()
        printed = capsys.readouterr().out.splitlines()
        found = [json.loads(line) for line in printed]
        return found if arguments[:2] == ("decisions", "list") else found[0]

    return call


@pytest.mark.slow
def test_every_command_works_on_a_file(run, tmp_path):
    answers = walk(run, tmp_path)
    assert set(answers) == {name for name, _ in commands()} - WITHOUT_STORES - SERVERS
    listed, newest, failed, _ = answers["decisions list"]
    assert (len(listed), len(newest), [one["memory_ids"] for one in failed]) == (3, 1, [["whales"]])
    assert listed[0]["context"]["text"] == "old – whales buy"
    (shown,) = answers["decisions show"]
    assert (shown["success"], shown["metrics"]) == (True, {"quality": 0.5})
    assert answers["decisions chain"][0]["chain"][0]["relation"] == "descendant"
    assert answers["decisions stats"][0]["total"]["count"] == 3
    assert [one["version"] for one in answers["memory put"]] == [1, 2]
    assert answers["memory get"][0]["memories"][0]["text"] == "whales sell"
    assert answers["memory recall"][0]["entries"][0]["memory"]["pattern_id"] == "whales"
    assert {one["level"] for one in answers["memory levels"][0]["entries"]} >= {"archive"}
    assert answers["patterns show"][0]["confidence"] == 0.7
    assert [one["days_due"] for (one,) in answers["nightly status"]][1] == 0
    assert answers["archive verify"][0]["status"] == "unchanged"
    assert [one["equal"] for one in answers["push"][0]["agents"]] == [True]
    assert answers["import"][0]["counts"]["decisions"]["created"] >= 2


def test_the_page_of_the_command_line_is_up_to_date():
    assert (ROOT / "docs" / "cli.md").read_text() == page(), "run `make cli-page`"


def test_every_command_has_json_and_the_settings_of_its_stores():
    for name, command in commands():
        options = {option for one in command.params for option in one.opts}
        assert command.help, name
        assert all(getattr(one, "help", "") for one in command.params), name
        assert ("--json" in options) == (name not in SERVERS), name
        if name not in WITHOUT_STORES:
            assert {"--store", "--profile", "--region", "--endpoint-url", "--table-prefix", "--bucket"} <= options, name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["decisions", "log", *HUNTER, "--type", "QUERY", "--context", "{"], "'--context': '{' is not JSON"),
        (["decisions", "log", *HUNTER, "--type", "QUERY", "--context", "[1]"], "is not a JSON object; write one, as"),
        (["decisions", "log", *HUNTER, "--type", "query", "--context", "{}"], "decision_type: 'query' is invalid"),
        (["decisions", "show", "x", *HUNTER], "decision_id: 'x' is not a decision id"),
        (["decisions", "outcome", "x", *HUNTER], "Missing option '--success'"),
        (["decisions", "list", *HUNTER, "--status", "lost"], "'lost' is not one of 'succeeded', 'failed', 'pending'"),
        (["decisions", "list", *HUNTER, "--limit", "0"], "'--limit'"),
        (["memory", "get", *HUNTER, "--type", "PATTERN", "--id", "typo"], "hunter has no PATTERN typo"),
        (["memory", "put", *HUNTER, "--type", "PATTERN", "--id", "x", "--data", '{"confidence": 2}'], "confidence"),
        (["patterns", "show", "typo", *HUNTER], "hunter has no pattern typo"),
        (["patterns", "trend", "typo", *HUNTER], "hunter never had a pattern typo"),
        (["advise", *HUNTER, "--type", "QUERY", "--context", "{}", "--option", "a", "--choose", "best"], "'best'"),
        (["archive", "verify", "--agent", "typo"], "there is no agent typo"),
        (["nightly", "status", "--agent", "typo"], "typo: there is no such agent"),
    ],
)
def test_an_error_is_one_line_that_names_the_option(arguments, message, tmp_path, capsys):
    connect(f"sqlite:///{tmp_path}/memory.db")
    assert main([*arguments, "--store", f"sqlite:///{tmp_path}/memory.db"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err


def test_advice_is_printed_with_what_was_chosen(tmp_path, capsys):
    asked = ["advise", *HUNTER, "--type", "QUERY", "--context", "{}", "--option", "buy", "--option", "wait"]
    store = ["--store", f"sqlite:///{tmp_path}/memory.db"]
    connect(store[1])
    assert main([*asked, *store]) == 0
    assert capsys.readouterr().out == "buy  0.5  0  1  prior\nwait  0.5  0  1  prior\n"
    assert main([*asked, "--choose", "greedy", "--exploration", "0", *store]) == 0
    assert capsys.readouterr().out == "buy  0.5  0  1  prior  yes  1\nwait  0.5  0  1  prior  0\n"


def test_options_of_stores_may_be_written_before_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AGENT_MEMORY_URL", "sqlite:///no/such/folder.db")
    store = ["--store", f"sqlite:///{tmp_path}/memory.db"]
    assert main([*store, "decisions", "log", *HUNTER, "--type", "QUERY", "--context", "{}"]) == 0
    logged = capsys.readouterr().out.strip()
    assert main(["decisions", "show", logged, *HUNTER, *store]) == 0
    assert main(["decisions", "show", logged, *HUNTER]) == 2  # the variable is as it was


def test_where_nothing_is_named_the_error_lists_the_three_ways(monkeypatch, capsys):
    for name in (store_urls.URL_VARIABLE, *store_urls.AWS_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert main(["decisions", "list", *HUNTER]) == 2
    first, *ways = capsys.readouterr().err.splitlines()
    assert first.startswith("agent-memory: store: nothing says where decisions and memories are kept")
    assert [line.split(":")[0].strip() for line in ways] == ["sqlite", "https", "aws"]


def test_aws_settings_hold_for_the_command_alone(monkeypatch):
    from agent_memory.cli import options

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://elsewhere")
    seen = {}

    def opened(*_):
        seen.update(options.os.environ)
        raise options.InvalidInput("table_prefix", "seen")

    monkeypatch.setattr(options, "open_deployment", opened)
    chosen = ["--profile", "other", "--region", "eu-west-1", "--endpoint-url", "http://127.0.0.1:1"]
    before = dict(options.os.environ)
    assert main(["decisions", "list", *HUNTER, "--table-prefix", "x", *chosen]) == 2
    assert (seen["AWS_PROFILE"], seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"]) == ("other", "eu-west-1", "eu-west-1")
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert {"AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_DYNAMODB"}.isdisjoint(seen)
    assert dict(options.os.environ) == before


def test_a_shell_completes_commands(monkeypatch, capsys):
    monkeypatch.setenv("_AGENT_MEMORY_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "agent-memory dec")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().out.split() == ["decisions"]
