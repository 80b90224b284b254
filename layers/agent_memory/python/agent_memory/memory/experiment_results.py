"""What experiments that withhold memory have shown, for one agent or pooled over several."""

from collections.abc import Iterable
from typing import Any

from agent_memory.core.errors import Damaged
from agent_memory.learning.uplift import Arm, Stratum, pooled_pairs, randomized_uplift
from agent_memory.model.listings import parsed
from agent_memory.model.memories import Memory


def experiment_results(memories: Iterable[Memory], *, pooled: bool = False) -> list[dict[str, Any]]:
    """Return what each experiment has shown, by decision type, from the memories of type `EXPERIMENT`.

    Args:
        memories: those of one agent or of several, as the nightly job has stored them; others are left out.
        pooled: compare within agents, and state one difference for all of them together.

    Returns:
        For each experiment, decision type and agent, sorted: `name`, `decision_type`, `agents`, `status`; `memory` and
        `holdout`, each with `units`, `decisions` and `mean`; `uplift`, its always-valid 95 % `interval` and
        `excludes_zero`; and `paired`, the same three where every option was judged, else None.
    """
    groups: dict[tuple[str, str, str], list[tuple[Memory, dict[str, Any]]]] = {}
    for memory in filter(_is_result, memories):
        for decision_type, figures in (memory.data.get("by_decision_type") or {}).items():
            key = (memory.pattern_id, decision_type, "" if pooled else memory.agent_id)
            groups.setdefault(key, []).append((memory, figures))
    return [_result(*key[:2], groups[key]) for key in sorted(groups)]


def _is_result(memory: Memory) -> bool:
    """Whether the figures of a memory can be computed with; an agent may have stored a memory of its own."""

    def compute() -> None:
        for decision_type, figures in (memory.data.get("by_decision_type") or {}).items():
            _result(memory.pattern_id, decision_type, [(memory, figures)])

    try:
        parsed(memory.pattern_id, compute)
    except Damaged:
        return False
    return True


def _result(name: str, decision_type: str, found: list[tuple[Memory, dict[str, Any]]]) -> dict[str, Any]:
    strata = [Stratum.from_data(one) for _, figures in found for one in figures["strata"]]
    pairs = [Arm.from_data(figures["paired"]) for _, figures in found if figures["paired"]]
    return {
        "name": name,
        "decision_type": decision_type,
        "agents": sorted({memory.agent_id for memory, _ in found}),
        "status": "running" if any(memory.data["status"] == "running" for memory, _ in found) else "ended",
        "memory": _arm([one.memory for one in strata]),
        "holdout": _arm([one.holdout for one in strata]),
        **randomized_uplift(strata).as_data(),
        "paired": pooled_pairs(pairs).as_data() if pairs else None,
    }


def _arm(arms: list[Arm]) -> dict[str, Any]:
    decisions = sum(one.decisions for one in arms)
    mean = sum(one.decisions * one.mean for one in arms) / decisions if decisions else None
    return {"units": sum(one.units for one in arms), "decisions": decisions, "mean": mean}
