"""What another policy would have achieved on an agent's logged decisions; the statistics are `policy_evaluation`'s."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from agent_memory.client.backends import DecisionBackend
from agent_memory.core.checks import check_number, check_text
from agent_memory.core.errors import InColdStorage, InvalidInput
from agent_memory.decisions.queries import MAX_PAGE, DecisionFilter
from agent_memory.learning.evidence import cluster_of
from agent_memory.learning.policy_evaluation import LoggedChoice, evaluate_choices
from agent_memory.model.decisions import DecisionDict

Policy = Callable[[DecisionDict], Mapping[str, float]]
"""A policy: the probability of each option in the situation of a decision. A set is named `a+b`, its members sorted."""

SUCCESS = "success"


def evaluate_policy(
    backend: DecisionBackend,
    policy: Policy,
    filters: DecisionFilter,
    *,
    choice: str,
    reward: str,
    max_weight: float | None,
) -> dict[str, Any]:
    """See `AsyncDecisions.evaluate_policy`."""
    if not callable(policy):
        raise InvalidInput("policy", f"expected a function of a decision, got {type(policy).__name__}")
    check_text("choice", choice, 255)
    check_text("reward", reward, 255)
    if max_weight is not None:
        max_weight = check_number("max_weight", max_weight, "a number of 1 or more")
    filters.validated()
    choices: list[LoggedChoice] = []
    counts = {"without_outcome": 0, "without_choice": 0, "without_propensity": 0, "without_reward": 0}
    missing: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = backend.page_decisions(filters, limit=MAX_PAGE, newest_first=False, cursor=cursor)
        missing += page.get("missing", ())
        for decision in page["decisions"]:
            found = _logged_choice(decision, policy, choice, reward)
            if isinstance(found, str):
                counts[found] += 1
            else:
                choices.append(found)
        cursor = page["cursor"]
        if cursor is None or any(one["reason"] == InColdStorage.code for one in page.get("missing", ())):
            break
    evaluation = evaluate_choices(choices, max_weight=max_weight)
    return {**evaluation.as_dict(), **counts, "missing": missing, "complete": not missing and cursor is None}


def _logged_choice(decision: DecisionDict, policy: Policy, choice: str, reward: str) -> LoggedChoice | str:
    """The choice of a decision, or the name of the count of those that lack what it does."""
    if decision["success"] is None:
        return "without_outcome"
    chosen = _at(decision, choice)
    is_set = isinstance(chosen, list)
    option = "+".join(sorted(map(str, chosen))) if is_set else chosen
    if not isinstance(option, str) or not option:
        return "without_choice"
    propensity = _at(decision, "joint_propensity" if is_set else "propensity")
    if not isinstance(propensity, int | float):
        return "without_propensity"
    result = _at(decision, reward)
    if not isinstance(result, int | float):
        return "without_reward"
    probabilities = policy(decision)
    if not isinstance(probabilities, Mapping):
        raise InvalidInput("policy", f"returned {type(probabilities).__name__}; expected a probability for each option")
    cluster = cluster_of(decision["reasoning"], decision["context"], decision["metadata"])
    return LoggedChoice(option, float(propensity), float(result), probabilities, cluster)


def _at(decision: DecisionDict, path: str) -> Any:
    """The value at a path of names such as `reasoning.action`; None if there is none."""
    fields: Any = decision
    return reduce(lambda value, name: value.get(name) if isinstance(value, Mapping) else None, path.split("."), fields)
