"""Tries to reach other agents' data with an agent's policy, by paths that gateways and servers may read differently.

    python -m tests.agent_paths 100000

prints how many paths were tried, permitted and served, and those that reached another agent, as JSON.

Which form of a path API Gateway gives IAM to judge, and which one it passes to the function, is not documented. A path
is therefore sent through steps that gateways are known to take, in many orders, and each form that occurs on the way is
judged, and each is delivered. The policy is evaluated by a model of IAM; the function is the real one, on stores in
memory.
"""

import json
import random
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from unittest.mock import patch
from urllib.parse import unquote

from agent_memory.admin.agent_policy import METHODS, agent_policy, agent_policy_by_tag
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.api.entry import resolve
from agent_memory.api.observability import logger, metrics
from agent_memory.core.clock import FixedClock, SystemClock
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import Context, http_event
from tests.stacks.iam import Statement, identity_statements, is_allowed

ARN = "arn:aws:execute-api:us-east-1:123456789012:abcdefghij"
OWN, OTHER, READ_POOL, WRITE_POOL = "lone", "neighbour", "desk", "shared"
SECRET = "known to the neighbour only"
UNANCHORED = {"unanchored": [Statement("Allow", ("execute-api:Invoke",), (f"{ARN}/$default/*/v1/agents/{OWN}/*",))]}
"""A policy as a person might write it, whose `*` also spans other agents' paths."""
POLICIES = {
    "own": identity_statements(agent_policy(ARN, OWN)),
    "pools": identity_statements(agent_policy(ARN, OWN, reads=[READ_POOL], writes=[WRITE_POOL])),
    "tag": identity_statements(agent_policy_by_tag(ARN), {"agent_id": OWN}),
    "tag of a dot": identity_statements(agent_policy_by_tag(ARN), {"agent_id": "."}),
    "tag of dots": identity_statements(agent_policy_by_tag(ARN), {"agent_id": ".."}),
    "empty tag": identity_statements(agent_policy_by_tag(ARN), {"agent_id": ""}),
    "tag of segments": identity_statements(agent_policy_by_tag(ARN), {"agent_id": f"{OWN}/../{OTHER}"}),
    "no tag": identity_statements(agent_policy_by_tag(ARN)),
}

# --- what a gateway may do to a path ----------------------------------------------------------------


def cut(path):
    """End at the first `?` or `#`, as HTTP APIs do with one that was encoded."""
    return re.split("[?#]", path, maxsplit=1)[0]


def without_parameters(path):
    """Drop what follows `;` in each segment, as servlets do."""
    return re.sub(";[^/]*", "", path)


def with_slashes(path):
    return path.replace("\\", "/")


def collapsed(path):
    return re.sub("/{2,}", "/", path)


def without_dots(path):
    """Resolve dot segments (RFC 3986, 5.2.4), also above the root."""
    kept = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def decoded_but_percent(path):
    """Decode every escape but that of `%`, as the emulator does."""
    return "%25".join(unquote(part) for part in re.split("%25", path))


STEPS = (unquote, unquote, decoded_but_percent, cut, without_parameters, with_slashes, collapsed, without_dots)
PIPELINES = (
    (),
    (unquote,),
    (unquote, cut),
    (cut, unquote),
    (without_dots,),
    (unquote, without_dots),
    (unquote, without_dots, cut),
    (unquote, cut, without_dots),
    (unquote, unquote, without_dots),
    (unquote, with_slashes, collapsed, without_dots),
    (without_parameters, collapsed, without_dots),
    (decoded_but_percent, cut, unquote),
)


def forms(path, pipeline):
    """The path, and what it is after each step; each form once, in order."""
    found = {path: None}
    for step in pipeline:
        path = step(path)
        found[path] = None
    return list(found)


# --- paths ------------------------------------------------------------------------------------------

UPS = (
    *("..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "%252e%252e", "%%32e%%32e", "%2%65%2%45", "%c0%ae%c0%ae"),
    *("..;", "..;x", "..%00", "..%3b", "..%0a", ".%09.", "..%3F", "..%23", "．．", "...", ".", ""),
)
SEPARATORS = ("/", "//", "%2f", "%2F", "%252f", "%5c", "%5C", "\\", "/./", "/%2e/", ";/", "%3b/", "%c0%af", "%00/")
CUTS = ("?", "%3F", "%3f", "%253F", "#", "%23", ";", "%3B", "%00", "%0a", "\n", "%0d%0a", "&", "%26", " ", "%20", "/x/")
ROUTES = (
    *("decisions", "decisions/statistics", "state", "state/checkpoints", "state/configurations"),
    *(
        "memory/cycles",
        "memory/contexts",
        "memory/recall",
        "memory/similar",
        "memory/ltm/PATTERN",
        "memory/stm/note",
        "memory/stm",
    ),
)
IDS = (OWN, OTHER, READ_POOL, WRITE_POOL, f"{OWN}-2", f"{OWN}.", OWN[:-1], OWN.upper(), "*", "?", "$", "%6cone")
PAGE = (
    f"/v1/agents/{OTHER}/x/v1/agents/{OWN}/y",
    f"/v1/agents/{OTHER}/decisions%3F/v1/agents/{OWN}/y",
)


def known_tricks():
    """A table of tricks: up and out of the own path, back into it, a second path behind a cut, other spellings."""
    yield from PAGE
    for route, other in product(ROUTES, (OTHER, READ_POOL, WRITE_POOL)):
        own = f"/v1/agents/{OWN}"
        yield f"/v1/agents/{other}/{route}"
        for up, separator in product(UPS, SEPARATORS):
            yield f"{own}{separator}{up}{separator}{other}/{route}"
            back = separator.join([up] * (2 + route.count("/")))
            yield f"/v1/agents/{other}/{route}{separator}{back}{separator}{OWN}/y"
        for end in CUTS:
            yield f"/v1/agents/{other}/{route}{end}/v1/agents/{OWN}/y"
            yield f"/v1/agents/{other}/{route}{end}/../../{OWN}/y"
            yield f"{own}/y{end}/v1/agents/{other}/{route}"
            yield f"{own}{end}/../{other}/{route}"
            yield f"/v1/agents/{other}{end}{OWN}/{route}"
            yield f"/v1/agents/{OWN}{end}{other}/{route}"
    for pool, route in product((READ_POOL, WRITE_POOL), ROUTES):
        for up in UPS:
            yield f"/v1/agents/{pool}/memory/{up}/{route}"
            yield f"/v1/agents/{pool}/memory/x/{up}/{up}/{route}"


def random_path(source):
    """A path of parts that matter to someone who reads paths, most of them below an agent's path."""
    parts = (*UPS, *CUTS, *ROUTES, *IDS, "v1", "agents", "memory", "v1/agents")
    path = "/v1/agents/" + source.choice(IDS[:4]) + source.choice(SEPARATORS)
    for _ in range(source.randint(1, 8)):
        path += source.choice(parts) + source.choice(SEPARATORS[: source.choice((1, 4, len(SEPARATORS)))])
    return path + source.choice(("", *ROUTES, *(f"v1/agents/{one}/state" for one in IDS[:4])))


def random_pipeline(source):
    return tuple(source.sample(STEPS, source.randint(0, len(STEPS))))


# --- serving ----------------------------------------------------------------------------------------


class Recorder:
    """A deployment that records which agents a request opens."""

    def __init__(self):
        self._deployment = Deployment(in_memory_stores(FixedClock(SystemClock().now_ms())))
        self.opened = set()

    def decision_log(self, agent_id):
        self.opened.add(agent_id)
        return self._deployment.decision_log(agent_id)

    def memory(self, agent_id, **options):
        self.opened.add(agent_id)
        return self._deployment.memory(agent_id, **options)


def serve(method, path, *, body=None, parameters=None, judged=None):
    """The function's response to an event in which API Gateway delivers this path."""
    event = http_event(method, path, body)
    if judged is not None:
        event["requestContext"]["http"]["path"] = judged
    if parameters is not None:
        event["pathParameters"] = parameters
    try:
        return resolve(event, Context())
    finally:
        metrics.provider.clear_metrics()  # the entry point of the function flushes them


@contextmanager
def recorded():
    """Serve requests from stores in which every agent has something that only it may read."""
    recorder = Recorder()
    level = logger.log_level
    logger.setLevel("ERROR")
    with patch.object(api, "deployment", lambda: recorder):
        for agent in (OTHER, READ_POOL, WRITE_POOL, OWN):
            text = "own" if agent == OWN else SECRET
            decision = {"decision_type": "QUERY", "context": {"note": text}, "reasoning": {}}
            filled = (
                ("POST", "decisions", decision),
                ("PUT", "state", {"note": text}),
                ("PUT", "memory/ltm/PATTERN/note", {"text": text, "confidence": 0.9}),
                ("PUT", "memory/stm/note", {"data": text, "ttl_seconds": 3600}),
            )
            for method, route, body in filled:
                assert serve(method, f"/v1/agents/{agent}/{route}", body=body)["statusCode"] in {200, 201}
        yield recorder
    logger.setLevel(level)


# --- crossings --------------------------------------------------------------------------------------


@dataclass
class Found:
    """Counts of the paths tried, and the requests that reached what the policy does not give."""

    tried: int = 0
    permitted: int = 0
    answered: int = 0
    crossings: list = field(default_factory=list)


def try_path(found, recorder, statements, method, path, pipeline, *, shows_judged=False):
    """Judge each form of a path, and if one is permitted deliver each, optionally in an event that shows both."""
    found.tried += 1
    seen = forms(path, pipeline)
    judged = next((one for one in seen if permits(statements, method, one)), None)
    if judged is None:
        return
    found.permitted += 1
    body = None if method in {"GET", "DELETE"} else {"data": 1, "ttl_seconds": 60}
    for delivered in seen:
        recorder.opened.clear()
        response = serve(method, delivered, body=body, judged=judged if shows_judged else None)
        found.answered += response["statusCode"] < 300
        reached = {one for one in recorder.opened if not may_reach(one, method, delivered)}
        if reached or (recorder.opened <= {OWN} and SECRET in response["body"]):
            found.crossings.append(f"{method} {path!r}: judged {judged!r}, delivered {delivered!r}, reached {reached}")


def permits(statements, method, path):
    """Whether IAM permits a path that it is given in this form."""
    return is_allowed(statements, "execute-api:Invoke", f"{ARN}/$default/{method}{path}")


def may_reach(agent, method, path):
    """Whether the policies give this agent's data to a request; those without pools permit no path of a pool."""
    in_memory = path.startswith(f"/v1/agents/{agent}/memory/")
    return agent == OWN or (in_memory and (agent == WRITE_POOL or (agent == READ_POOL and method == "GET")))


def run(random_paths, seed=0, *, tricks=None, policies=None, shows_judged=False):
    """Try the known tricks, or so many of them, in the known pipelines, then so many random paths in random ones.

    Args:
        random_paths: how many.
        seed: of the choices of methods, policies, tricks and random paths.
        tricks: how many of the known tricks; by default all. The first two are always tried with the first policy.
        policies: statements by name; by default `POLICIES`, of which those that permit most are tried most.
        shows_judged: whether the event's `requestContext.http.path` is the path that was judged, instead of `rawPath`.
    """
    found, source = Found(), random.Random(seed)
    policies = list((policies or POLICIES).values())
    weights = [5, 5, 5, *[1] * len(policies)][: len(policies)]
    known = list(known_tricks())
    chosen = known if tricks is None else [*PAGE, *source.sample(known, tricks)]
    with recorded() as recorder:
        for number, path in enumerate(chosen):
            (statements,) = source.choices(policies, weights) if number >= len(PAGE) else policies[:1]
            method = source.choice(("GET", "GET", "GET", *METHODS)) if number >= len(PAGE) else "GET"
            for pipeline in PIPELINES:
                try_path(found, recorder, statements, method, path, pipeline, shows_judged=shows_judged)
        for _ in range(random_paths):
            (statements,) = source.choices(policies, weights)
            method, path, pipeline = source.choice(METHODS), random_path(source), random_pipeline(source)
            try_path(found, recorder, statements, method, path, pipeline, shows_judged=shows_judged)
    return found


if __name__ == "__main__":
    result = run(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000, seed=int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    shown = {**vars(result), "crossings": len(result.crossings), "examples": result.crossings[:20]}
    sys.stdout.write(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    sys.exit(bool(result.crossings))
