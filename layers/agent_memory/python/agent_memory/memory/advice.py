"""Advice: what to expect of each option where a decision is due, and a choice among them with its probability."""

import random
import secrets
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_memory.core.checks import check_boolean, check_integer, check_list, check_number, check_text
from agent_memory.core.clock import parse_instant, to_iso
from agent_memory.core.concurrency import map_concurrently
from agent_memory.core.errors import Damaged, InvalidInput, shown
from agent_memory.core.ids import check_decision_type, check_memory_type, check_pattern_id
from agent_memory.core.json_values import Document, check_object
from agent_memory.core.option_limits import MAX_OPTION_CHARACTERS, MAX_OPTIONS
from agent_memory.decisions.inputs import MAX_MEMORIES
from agent_memory.decisions.log import DecisionLog
from agent_memory.learning.choosing import (
    PROPENSITY_ERROR,
    Choice,
    choose_by_thompson_sampling,
    choose_greedily,
)
from agent_memory.learning.estimate_update import with_recent
from agent_memory.learning.evidence import MAX_PATH_CHARACTERS, SELECTED_SOURCES, SOURCE, value_of
from agent_memory.learning.expected_results import (
    CHOICES,
    KNOWN_UNTIL,
    RESULTS,
    REWARD,
    SUCCESS,
    Expected,
    check_estimate,
    estimate_id,
    expected_result,
)
from agent_memory.memory.learning_controls import read_controls
from agent_memory.memory.long_term import LongTermMemory
from agent_memory.memory.matching import facts_of, holds_in, is_withheld
from agent_memory.memory.reader import MemoryReader
from agent_memory.memory.recent_results import RecentDecisions
from agent_memory.model.experiments import Assignment
from agent_memory.model.listings import LIMIT, Unreadable, missing_item, parsed
from agent_memory.model.memories import Memory, MemoryType
from agent_memory.ports.states import StateStore

_JUDGED_BY = {"SOURCE_SELECTION": ("SIGNAL_GENERATION", "reasoning.source")}
"""Where a choice is judged by other decisions: a source by its signals, not by whether a selection had any."""
RULES = ("thompson", "greedy")
POLICY_VERSION = "1"
_LEAST_DEVIATION = 1e-9


@dataclass(frozen=True, slots=True)
class AdviceQuery:
    """What advice is asked for; see `MemoryManager.advise`. `checked` validates it."""

    decision_type: str
    context: Document
    options: Sequence[str]
    choice: str | None = None
    choose: str | None = None
    count: int = 1
    exploration: float = 0.1
    seed: str | None = None
    result: str = SUCCESS
    withhold: Document | None = None
    recent: bool = False

    def checked(self) -> "AdviceQuery":
        """The query with plain values, or `InvalidInput`, which names the argument."""
        options = [check_text(f"options/{n}", one, MAX_OPTION_CHARACTERS) for n, one in enumerate(_list(self.options))]
        if len(set(options)) != len(options):
            raise InvalidInput("options", "names an option twice")
        if self.choose is not None and self.choose not in RULES:
            raise InvalidInput(
                "choose", f"{shown(self.choose)} is not one of {', '.join(RULES)}; leave it out for none"
            )
        if self.result not in RESULTS:
            raise InvalidInput("result", f"{shown(self.result)} is not one of {', '.join(RESULTS)}")
        expected = "a number from 0 to 1, below 1"
        exploration = check_number("exploration", self.exploration, expected)
        if not 0 <= exploration < 1:
            raise InvalidInput("exploration", f"{exploration!r} is not {expected}")
        return AdviceQuery(
            decision_type=check_decision_type(self.decision_type),
            context=check_object("context", self.context),
            options=options,
            choice=None if self.choice is None else check_text("choice", self.choice, MAX_PATH_CHARACTERS),
            choose=self.choose,
            count=check_integer("count", self.count, minimum=1, maximum=len(options)),
            exploration=exploration,
            seed=None if self.seed is None else check_text("seed", self.seed, 256),
            result=self.result,
            withhold=None if self.withhold is None else _checked_withheld(self.withhold),
            recent=check_boolean("recent", self.recent),
        )

    def allows(self, memory: Memory) -> bool:
        """Whether a memory may be used: it is neither quarantined nor deprecated, and `withhold` does not name it."""
        if is_withheld(memory):
            return False
        if self.withhold is None:
            return True
        of_type = self.withhold.get("memory_type") in {None, memory.memory_type}
        return not (of_type and self.withhold.get("memory_id") in {None, memory.pattern_id})


class MemoryAdvice:
    """Advice from the estimates and patterns of an agent and its pools. Every method blocks.

    `log` has the agent's decisions, and `states` what is quarantined.
    """

    def __init__(
        self, namespaces: Sequence[LongTermMemory], reader: MemoryReader, log: DecisionLog, states: StateStore
    ) -> None:
        self._namespaces = namespaces
        self._reader = reader
        self._log = log
        self._states = states

    def advise(self, query: AdviceQuery) -> dict[str, Any]:
        """Advice; see `MemoryManager.advise`. One read of estimates, and one of the patterns of each namespace.

        With `recent`, what is quarantined and the decisions since the last nightly job are read after that.

        Raises:
            InvalidInput: names the argument. Unavailable: the table did not respond.
        """
        query = query.checked()
        facts = facts_of(query.context)
        unreadable: list[Unreadable] = []

        def read(memory_type: MemoryType) -> list[Memory]:
            is_estimate = memory_type is MemoryType.ESTIMATE
            found = self._estimates(query, unreadable) if is_estimate else self._patterns(unreadable)
            return [one for one in found if query.allows(one)]

        estimates, patterns = map_concurrently(read, [MemoryType.ESTIMATE, MemoryType.PATTERN])
        estimate = _best(estimates, query)
        choice = estimate.data["choice"] if estimate else query.choice
        claims = [one for one in patterns if _is_about(one, query, choice, facts)]
        used = ([estimate] if estimate else []) + claims
        self._reader.count_accesses(used)
        data = estimate.data if estimate else None
        recent = self._recent(estimate) if estimate and query.recent else None
        if data and recent:
            data = _updated(data, recent)
        expected = {option: expected_result(data, query.result, option, facts) for option in query.options}
        chosen = _choose(query, expected, self._namespaces[0].agent_id)
        memory_ids = list(dict.fromkeys(one.pattern_id for one in used))[:MAX_MEMORIES]
        return {
            "decision_type": query.decision_type,
            "result": query.result,
            "facts": sorted(facts.texts),
            "estimated_from": _origin(estimate, query.result, recent) if estimate else None,
            "options": [
                {
                    **_option(option, one, [claim for claim in claims if _names(claim, option, choice)]),
                    "reward": _reward(data, option, facts),
                }
                for option, one in expected.items()
            ],
            "claims": [_claim(one) for one in claims if not _option_facts(one, choice)],
            "choice": chosen,
            "memory_ids": memory_ids,
            "log_with": {"memory_ids": memory_ids, **_log_fields(chosen)},
            "missing": [*(one.as_dict() for one in unreadable), *(recent.missing if recent else ())],
        }

    def _recent(self, estimate: Memory) -> RecentDecisions:
        """The decisions since an estimate; one of an earlier version knows what was known when it was stored."""
        known_until = estimate.data.get(KNOWN_UNTIL)
        return RecentDecisions.read(
            self._log,
            estimate.data["decision_type"],
            parse_instant(known_until) if known_until else estimate.updated_ms,
            without=frozenset(read_controls(self._states, self._namespaces[0].agent_id).quarantined),
        )

    def _estimates(self, query: AdviceQuery, unreadable: list[Unreadable]) -> list[Memory]:
        """The estimates that may answer, the agent's own first, and of each namespace the closest first.

        A memory under the id of an estimate that is none, as an agent may have stored it, is left out and named.
        """
        names = [estimate_id(query.decision_type, one) for one in ([query.choice] if query.choice else CHOICES)]
        if query.choice is None and query.decision_type in _JUDGED_BY:
            names.insert(0, estimate_id(*_JUDGED_BY[query.decision_type]))
        keys = [(one.agent_id, str(MemoryType.ESTIMATE), name) for one in self._namespaces for name in names]
        found = {(one.agent_id, one.pattern_id): one for one in self._namespaces[0].store.get_many(keys)}
        return [
            found[agent_id, name]
            for agent_id, _, name in keys
            if (agent_id, name) in found and _is_estimate(found[agent_id, name], unreadable)
        ]

    def _patterns(self, unreadable: list[Unreadable]) -> list[Memory]:
        return list(self._reader.list_all(MemoryType.PATTERN, on_unreadable=unreadable.append))


def joined(answers: Sequence[dict[str, Any]], query: AdviceQuery, agent_id: str) -> dict[str, Any]:
    """The advice of several namespaces, asked one by one: the first with an estimate, with the claims of all.

    Args:
        answers: without a choice, the agent's own first.
        query: what was asked. The choice is made here, as it is where all namespaces are read at once.
        agent_id: of the agent.
    """
    answer = dict(next((one for one in answers if one["estimated_from"]), answers[0]))
    others = [one for one in answers if one["options"] is not answer["options"]]
    by_option = [{one["option"]: one["claims"] for one in other["options"]} for other in others]
    answer["options"] = [
        {**one, "claims": one["claims"] + [claim for other in by_option for claim in other[one["option"]]]}
        for one in answer["options"]
    ]
    answer["claims"] = answer["claims"] + [claim for other in others for claim in other["claims"]]
    answer["missing"] = answer["missing"] + [one for other in others for one in other["missing"]]
    claims = [*answer["claims"], *(claim for one in answer["options"] for claim in one["claims"])]
    ids = dict.fromkeys([*answer["memory_ids"], *(claim["memory_id"] for claim in claims)])
    answer["memory_ids"] = list(ids)[:MAX_MEMORIES]
    if query.recent and answer["estimated_from"] and answer["estimated_from"]["agent_id"] != agent_id:
        why = "over HTTP the agent's own results since the last nightly job are not added to the estimate of a pool"
        answer["missing"] = [*answer["missing"], missing_item("decisions", LIMIT, why)]
    expected = {one["option"]: _expected_in(one) for one in answer["options"]}
    answer["choice"] = _choose(query, expected, agent_id)
    answer["log_with"] = {"memory_ids": answer["memory_ids"], **_log_fields(answer["choice"])}
    return answer


def logged_with(advice: dict[str, Any], assignment: Assignment | None) -> dict[str, Any]:
    """The advice, whose `log_with` keeps the assignment to an experiment that it was asked for under."""
    if assignment is None:
        return advice
    return {**advice, "log_with": {**advice["log_with"], "metadata": assignment.metadata()}}


def _list(options: object) -> list[Any]:
    items = check_list("options", options)
    if not 1 <= len(items) <= MAX_OPTIONS:
        raise InvalidInput("options", f"has {len(items)} items; send 1 to {MAX_OPTIONS}")
    return items


def _checked_withheld(withhold: Document) -> Document:
    fields = check_object("withhold", withhold)
    unknown = sorted(fields.keys() - {"memory_type", "memory_id"})
    if unknown:
        raise InvalidInput(f"withhold/{unknown[0]}", "is not one of memory_type, memory_id")
    memory_type, memory_id = fields.get("memory_type"), fields.get("memory_id")
    return {
        "memory_type": None if memory_type is None else str(check_memory_type(memory_type)),
        "memory_id": None if memory_id is None else check_pattern_id(memory_id, "withhold/memory_id"),
    }


def _is_estimate(memory: Memory, unreadable: list[Unreadable]) -> bool:
    name = f"{memory.agent_id} ESTIMATE {memory.pattern_id}"
    try:
        parsed(name, _check_estimate, memory.data)
    except Damaged as error:
        unreadable.append(Unreadable(name, error))
        return False
    return True


def _check_estimate(data: Document) -> None:
    check_estimate(data)
    check_decision_type(data["decision_type"])
    if data.get(KNOWN_UNTIL):
        parse_instant(data[KNOWN_UNTIL])


def _best(estimates: Sequence[Memory], query: AdviceQuery) -> Memory | None:
    """The first estimate that knows any of the options; without one, none."""
    for memory in estimates:
        model = memory.data.get(query.result)
        if isinstance(model, Mapping) and any(one["option"] in query.options for one in model["options"]):
            return memory
    return None


def _updated(estimate: Document, recent: RecentDecisions) -> Document:
    """The data of an estimate after the results of recent decisions."""
    choice = estimate["choice"]
    if SUCCESS in estimate:
        estimate = with_recent(estimate, SUCCESS, recent.results(choice))
    if REWARD in estimate:
        estimate = with_recent(estimate, REWARD, recent.results(choice, estimate[REWARD]["path"]))
    return estimate


def _key(choice: str) -> str:
    return SOURCE if choice == SELECTED_SOURCES else choice


def _option_facts(memory: Memory, choice: str | None) -> list[str]:
    """The options that a pattern is about."""
    prefixes = (f"{_key(choice)}=",) if choice else tuple(f"{_key(one)}=" for one in CHOICES)
    return [value_of(one) for one in memory.data["features"] if one.startswith(prefixes)]


def _names(memory: Memory, option: str, choice: str | None) -> bool:
    return option in _option_facts(memory, choice)


def _is_about(memory: Memory, query: AdviceQuery, choice: str | None, facts: Container[str]) -> bool:
    if not holds_in(memory, facts):
        return False
    judged_by, _ = _JUDGED_BY.get(query.decision_type, (query.decision_type, None))
    if memory.data.get("decision_type") not in (None, query.decision_type, judged_by):
        return False
    options = _option_facts(memory, choice)
    return not options or any(one in query.options for one in options)


def _origin(memory: Memory, result: str, recent: RecentDecisions | None) -> dict[str, Any]:
    return {
        "agent_id": memory.agent_id,
        "memory_id": memory.pattern_id,
        "version": memory.version,
        "updated_at": to_iso(memory.updated_ms),
        "decision_type": memory.data["decision_type"],
        "choice": memory.data["choice"],
        "decisions": memory.data["decisions"],
        "half_life_days": memory.data[result]["half_life_days"],
        "reward": _path(memory, REWARD),
        "recent_results": None if recent is None else len(recent.results(memory.data["choice"], _path(memory, result))),
    }


def _path(memory: Memory, result: str) -> str | None:
    """The path of the reward; None for success, and without a reward."""
    return memory.data[REWARD]["path"] if result == REWARD and REWARD in memory.data else None


def _option(option: str, expected: Expected, claims: Sequence[Memory]) -> dict[str, Any]:
    return {"option": option, **_expectation(expected), "claims": [_claim(one) for one in claims]}


def _reward(estimate: Document | None, option: str, facts: Container[str]) -> dict[str, Any] | None:
    """What to expect of an option's reward; None while no decision has any."""
    if estimate is None or REWARD not in estimate:
        return None
    return _expectation(expected_result(estimate, REWARD, option, facts))


def _expectation(expected: Expected) -> dict[str, Any]:
    return {
        "expected": expected.mean,
        "deviation": expected.deviation,
        "interval": [expected.low, expected.high],
        "is_prior": expected.is_prior,
        "effective_decisions": expected.weight,
    }


def _expected_in(option: Mapping[str, Any]) -> Expected:
    """What an answer says to expect of an option."""
    return Expected(option["expected"], option["deviation"], option["effective_decisions"], *option["interval"])


def _claim(memory: Memory) -> dict[str, Any]:
    data = memory.data
    return {
        "agent_id": memory.agent_id,
        "memory_id": memory.pattern_id,
        "status": data.get("status"),
        "confidence": memory.confidence,
        "features": data["features"],
        "description": data.get("description"),
        "success_rate": data.get("success_rate"),
    }


def _choose(query: AdviceQuery, expected: Mapping[str, Expected], agent_id: str) -> dict[str, Any] | None:
    if query.choose is None:
        return None
    seed = secrets.token_hex(8) if query.seed is None else query.seed
    # With the agent and the type, so that one cycle's decisions are not drawn alike.
    chance = random.Random(f"{agent_id} {query.decision_type} {seed}")  # noqa: S311  not for secrets
    choice: Choice
    if query.choose == "greedy":
        means = {option: one.mean for option, one in expected.items()}
        choice, error = choose_greedily(means, query.count, query.exploration, chance), 0.0
    else:
        posteriors = {option: (one.mean, max(one.deviation, _LEAST_DEVIATION)) for option, one in expected.items()}
        choice, error = choose_by_thompson_sampling(posteriors, query.count, chance), PROPENSITY_ERROR
    return {
        "chosen": list(choice.chosen),
        "policy": query.choose,
        "policy_version": POLICY_VERSION,
        "propensities": [{"option": name, "propensity": one} for name, one in choice.propensities.items()],
        "joint_propensity": choice.joint_propensity,
        "propensity_error": error,
        "seed": seed,
    }


def _log_fields(chosen: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of `log_decision` that keep what was chosen by which rule, with which probability."""
    if chosen is None:
        return {}
    name = "propensity" if len(chosen["chosen"]) == 1 else "joint_propensity"
    return {
        "policy": chosen["policy"],
        "policy_version": chosen["policy_version"],
        name: chosen["joint_propensity"],
    }
