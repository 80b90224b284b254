"""An agent's policy and the check of the path: no request reaches another agent, and none of its own is refused."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.admin.agent_policy import METHODS, agent_policy
from agent_memory.api import entry
from agent_memory.api.app import ROUTERS
from agent_memory.api.router import AGENT_PATH
from agent_memory.core.ids import PATTERNS, path_name
from tests import agent_paths
from tests.agent_paths import OTHER, OWN, PAGE, POLICIES, UNANCHORED, permits, serve
from tests.stacks.iam import identity_statements

KINDS = {"key": "stm_key", "memory_type": "type", "name": "checkpoint"}
AGENT_IDS = st.from_regex(PATTERNS["agent_id"], fullmatch=True)


@pytest.fixture(scope="module", autouse=True)
def recorder():
    with agent_paths.recorded() as recorder:
        yield recorder


# --- other agents' data ------------------------------------------------------------------------------


def test_no_known_trick_and_no_random_path_reaches_another_agent():
    found = agent_paths.run(1_000, seed=1, tricks=1_000)
    assert found.crossings == []
    assert found.permitted > 300
    assert found.answered > 10


@pytest.mark.slow
def test_none_of_thousands_of_tricks_reaches_another_agent():
    found = agent_paths.run(5_000, seed=2, tricks=5_000)
    assert found.crossings == []
    assert found.tried > 65_000
    assert found.permitted > 2_000


def test_the_function_refuses_what_a_wider_policy_permits_if_the_event_shows_it():
    found = agent_paths.run(1_000, seed=3, tricks=1_000, policies=UNANCHORED, shows_judged=True)
    assert found.crossings == []
    assert found.permitted > 1_000


@settings(max_examples=300)
@given(st.randoms(use_true_random=False), st.sampled_from(list(POLICIES)), st.sampled_from(METHODS))
def test_no_path_that_hypothesis_finds_reaches_another_agent(recorder, source, policy, method):
    found, path = agent_paths.Found(), agent_paths.random_path(source)
    pipeline = agent_paths.random_pipeline(source)
    agent_paths.try_path(found, recorder, POLICIES[policy], method, path, pipeline)
    assert found.crossings == []


# --- the same with a weaker policy or without the check, to see that the trials find it ----------------


def test_the_trials_find_a_policy_that_does_not_begin_with_the_method():
    found = agent_paths.run(0, tricks=100, policies=UNANCHORED)
    assert any(PAGE[1] in one for one in found.crossings)


def test_the_trials_find_a_policy_that_permits_dot_segments():
    statements = [one for one in POLICIES["own"] if one.effect == "Allow"]
    assert agent_paths.run(0, tricks=200, policies={"permissive": statements}).crossings


def test_the_trials_find_a_function_that_does_not_check_the_path(monkeypatch):
    monkeypatch.setattr(entry, "_check_path", lambda _: None)
    assert agent_paths.run(0, tricks=100, policies=UNANCHORED, shows_judged=True).crossings


# --- two known paths, and events whose fields disagree --------------------------------------------------


@pytest.mark.parametrize("path", PAGE)
@pytest.mark.parametrize("method", METHODS)
def test_a_path_with_a_second_path_behind_it_is_denied_and_refused(recorder, path, method):
    for form in agent_paths.forms(path, (agent_paths.unquote,)):
        assert not any(permits(statements, method, form) for statements in POLICIES.values())
        recorder.opened.clear()
        response = serve(method, form, body={})
        assert (response["statusCode"], json.loads(response["body"])["error"]["code"]) == (403, "forbidden")
        assert not recorder.opened


@pytest.mark.parametrize(
    ("path", "judged", "parameters"),
    [
        (f"/v1/agents/{OTHER}/state", f"/v1/agents/{OWN}/state", None),
        (f"/v1/agents/{OTHER}/state", f"/v1/agents/{OTHER}/state", {"proxy": f"agents/{OWN}/state"}),
        (f"/v1/agents/{OTHER}/decisions", f"/v1/agents/{OTHER}/decisions", {"agent_id": OWN}),
        (f"/v1/agents/{OTHER}/decisions", f"/v1/agents/{OTHER}/decisions", {"proxy": f"agents/{OTHER}/decisions?/x"}),
        (f"/v1/agents/{OTHER}/state", "/v1", None),
        (f"/v1/agents/{OTHER}/state", f"/v1/agents/{OTHER}/state/../../{OWN}/state", None),
    ],
)
def test_an_event_whose_fields_name_different_agents_is_refused(recorder, path, judged, parameters):
    recorder.opened.clear()
    assert serve("GET", path, judged=judged, parameters=parameters)["statusCode"] == 403
    assert not recorder.opened


def test_an_event_of_another_method_than_its_route_is_refused():
    event = agent_paths.http_event("DELETE", f"/v1/agents/{OWN}/memory/stm") | {"routeKey": "GET /v1/{proxy+}"}
    assert entry.resolve(event, agent_paths.Context())["statusCode"] == 403


UNREADABLE = (
    *("..", ".", "a%2Fb", "a%5cb", "a%3Fb", "a%23b", "a%252fb", "a;b", "a?b", "a#b"),
    *("a\\b", "a\nb", "a\x00b", "%ff", "\ufffd", "%%32e%%32e", "%2%65%2%65", "%" + "25" * 2_000 + "2e"),
)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_name_that_could_be_read_as_other_segments_is_refused(name):
    for path in (f"memory/stm/{name}", f"state/checkpoints/{name}/restore"):
        method = "GET" if "stm" in path else "POST"
        assert serve(method, f"/v1/agents/{OWN}/{path}")["statusCode"] == 403


@pytest.mark.parametrize("name", ["a b", "ä", "100%", "a*", "{x}", "%C3%A4"])
def test_a_name_with_other_characters_is_invalid_and_named(name):
    response = serve("GET", f"/v1/agents/{OWN}/memory/stm/{name}")
    assert (response["statusCode"], json.loads(response["body"])["error"]["field"]) == (400, "key")


@pytest.mark.parametrize("prefix", ["", "/prices", "/a/b"])
def test_the_paths_of_a_stage_and_of_a_mapped_domain_are_served(prefix):
    event = agent_paths.http_event("GET", f"/dev/v1/agents/{OWN}/state")
    event["requestContext"] |= {"stage": "dev", "http": {"method": "GET", "path": f"{prefix}/v1/agents/{OWN}/state"}}
    assert entry.resolve(event, agent_paths.Context())["statusCode"] == 200


# --- an agent's own data -------------------------------------------------------------------------------


def routes():
    return [one for router in ROUTERS for one in router._paths]


def test_the_policy_names_the_methods_of_all_routes():
    assert {method for method, _ in routes()} == set(METHODS)


@pytest.mark.parametrize(("method", "route"), routes())
@settings(max_examples=10)
@given(data=st.data())
def test_every_route_and_name_remains_permitted(recorder, method, route, data):
    agent_id = data.draw(AGENT_IDS)
    statements = identity_statements(agent_policy(agent_paths.ARN, agent_id))
    names = {
        name: data.draw(st.from_regex(re.compile(PATTERNS[KINDS.get(name, name)].pattern, re.ASCII), fullmatch=True))
        for name in re.findall("<([a-z_]+)>", route)
    }
    below = re.sub("<([a-z_]+)>", lambda match: quote(path_name(names[match[1]]), safe=""), route)
    for path in agent_paths.forms(f"{AGENT_PATH.replace('<agent_id>', agent_id)}{below}", (agent_paths.unquote,)):
        assert permits(statements, method, path)
    recorder.opened.clear()
    response = serve(method, path, body={})
    assert response["statusCode"] != 403
    assert recorder.opened <= {agent_id}


@given(AGENT_IDS, AGENT_IDS, st.sampled_from(METHODS))
def test_a_policy_permits_its_agent_only(agent_id, other, method):
    statements = identity_statements(agent_policy(agent_paths.ARN, agent_id))
    assert permits(statements, method, f"/v1/agents/{other}/state") is (agent_id == other)
