"""The public methods of the decision log, asynchronous and synchronous, on any `DecisionBackend`."""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.client.backends import DecisionBackend
from agent_memory.client.executor import in_thread
from agent_memory.client.facade import AsyncFacade, SyncFacade
from agent_memory.client.what_if import SUCCESS, Policy, evaluate_policy
from agent_memory.core.clock import Instant
from agent_memory.core.errors import InColdStorage
from agent_memory.core.json_values import Document
from agent_memory.decisions.chains import MAX_LINKS
from agent_memory.decisions.inputs import decision_input, outcome_item
from agent_memory.decisions.queries import DecisionFilter, SuccessFilter, TimeRange
from agent_memory.model.decisions import DecisionDict
from agent_memory.model.listings import Listing


class AsyncDecisions(AsyncFacade):
    """The decision log of an agent, asynchronous."""

    _decisions: DecisionBackend

    @property
    def write_shards(self) -> int:
        """The number of table partitions that new decisions are distributed over."""
        return self._decisions.write_shards

    async def log_decision(
        self,
        decision_type: str,
        context: Document,
        reasoning: Document,
        metadata: Document | None = None,
        *,
        decision_id: str | None = None,
        timestamp: Instant | None = None,
        parent_ids: Sequence[str] = (),
        memory_ids: Sequence[str] = (),
        policy: str | None = None,
        policy_version: str | None = None,
        propensity: float | None = None,
        joint_propensity: float | None = None,
    ) -> str:
        """Log one decision and return its id, a UUID.

        A call that is cancelled, as by `asyncio.wait_for`, may still log its decision, and each call without a
        `decision_id` logs another one. To repeat a call, make the id first: `new_decision_id("QUERY")`.

        Args:
            decision_type: one of `DecisionType`, or your own in capitals.
            context: the situation in which the decision was made; statistics are grouped by `context["market"]`.
            reasoning: why the decision was made.
            metadata: any other data.
            decision_id: an id from `new_decision_id` or `decision_id_for`, so that the call can be repeated; generated
                by default.
            timestamp: when the decision was made, a datetime, ISO 8601 text or seconds since 1970; by default now.
            parent_ids: earlier decisions of this agent that led to this one.
            memory_ids: long-term memories that the decision is based on.
            policy: name of the policy that chose.
            policy_version: version of the policy, by its rules and parameters.
            propensity: probability, over 0 and up to 1, with which the policy chose what this decision names.
            joint_propensity: probability of all that it chose at once, where it chose several.

        Raises:
            InvalidInput: names the field. TooEarly: `timestamp` or the id is ahead of the store's clock.
            Conflict: the id exists with different content.
            Unavailable: the log did not respond; a retry with the same `decision_id` is safe.
        """
        data = decision_input(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
            policy=policy,
            policy_version=policy_version,
            propensity=propensity,
            joint_propensity=joint_propensity,
        )
        return await self._log_decision(data)

    async def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log several decisions, each a mapping of `log_decision`'s arguments; returns a result for each, in order.

        A result has `decision_id` and `status` (`created`, `unchanged`, `conflict` or `invalid`), and `error` with the
        last two.

        Raises:
            Unavailable: the log did not respond, and some decisions may have been logged; a retry is safe if each has
                a `decision_id`.
        """
        return await in_thread(self._decisions.log_decisions, decisions)

    async def log_outcome(
        self,
        decision_id: str,
        outcome: Document,
        success: bool,
        metrics: Document | None = None,
        *,
        horizon: str | None = None,
        amend: bool = False,
        headline: bool = False,
        timestamp: Instant | None = None,
    ) -> None:
        """Log an outcome of a decision. Logging the same outcome again changes nothing.

        Args:
            decision_id: as `log_decision` returned it.
            outcome: what happened.
            success: whether the decision succeeded.
            metrics: measurements such as `quality` or `latency_ms`.
            horizon: when the outcome was measured (`1h`, `exit`), for several outcomes of one decision.
            amend: replace an existing outcome of the same horizon, which is kept as superseded.
            headline: make this the headline outcome, which `success` and queries by outcome refer to. By default it is
                the outcome without a horizon, else the first one logged.
            timestamp: when the outcome became known; by default now.

        Raises:
            InvalidInput: names the field. TooEarly: `timestamp` is ahead of the store's clock.
            NotFound: no such decision. Conflict: the decision has a different outcome already.
            Unavailable: the log did not respond; a retry is safe.
        """
        data = outcome_item(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        await self._log_outcome(data)

    async def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log several outcomes, each a mapping of `log_outcome`'s arguments; returns a result for each, in order.

        A result has `decision_id` and `status` (`recorded`, `unchanged`, `conflict`, `not_found` or `invalid`), and
        `error` with the last three.

        Raises:
            Unavailable: the log did not respond; a retry is safe.
        """
        return await in_thread(self._decisions.log_outcomes, outcomes)

    async def get_decision(self, decision_id: str) -> DecisionDict:
        """One decision with its outcomes, from the table or the archive.

        Raises:
            InvalidInput: not a decision id. NotFound: this agent has no such decision.
            Unavailable: a tier did not respond.
        """
        return await in_thread(self._decisions.get_decision, decision_id)

    async def query_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        text: str | None = None,
        newest_first: bool = True,
    ) -> Listing[DecisionDict]:
        """Up to `limit` decisions (1 to 1,000) that meet every filter, from all tiers.

        The listing is `complete` if these are all of them. Else it has the `cursor` with which `page_decisions`
        continues, and `missing` names decisions that cannot be read.

        Args:
            decision_type: only this type; by default all.
            time_range: (start, end) without the end; None for either is unbounded.
            success_filter: True or False by the headline outcome, or "pending" for those without one.
            context_filter: a part of the context; names that it lacks are looked up in its `market`. None is an
                explicit null, and `True` is not 1.
            limit: the maximum number of decisions.
            context_type: the complete market context, as `trend=bullish|volatility=high`; uses an index.
            text: words that a decision has in its id, context, reasoning, metadata, outcome or memory ids, in any
                order, in capitals or not. No table has an index of them: within the other filters, all is read.
            newest_first: the order by time.

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not respond.
        """
        filters = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type, text)
        return await in_thread(_query, self._decisions, filters, limit, newest_first=newest_first)

    async def page_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        text: str | None = None,
        newest_first: bool = True,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """One page of `query_decisions`: `decisions`, and `cursor` to pass for the next page, None after the last.

        A page may have fewer than `limit` decisions and a cursor, because a response is limited in size. `missing`
        names decisions that cannot be read, or do not fit into any response; `complete` is true if nothing is missing
        and this is the last page.
        """
        filters = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type, text)
        page = self._decisions.page_decisions
        return await in_thread(page, filters, limit=limit, newest_first=newest_first, cursor=cursor)

    async def get_decision_chain(
        self, decision_id: str, depth: int = 5, *, limit: int = MAX_LINKS
    ) -> Listing[dict[str, Any]]:
        """The decisions that led to a decision and those that followed, up to `depth` (1 to 50) in each direction.

        First the ancestors and descendants by `parent_ids`, then the agent's decisions before and after it, up to 30
        days away, all nearest first. Each is a decision with `relation` (`ancestor`, `descendant`, `before`, `after`),
        `distance`, `why`, and `missing`, which is true for a parent that is not in the log. Of the decisions that
        followed from one, the oldest `limit` (1 to 10,000) are followed; the listing's `missing` names those that have
        more, and decisions that cannot be read.

        Raises:
            InvalidInput: names the argument. NotFound: no such decision. Unavailable: a tier did not respond.
        """
        return await in_thread(self._decisions.get_decision_chain, decision_id, depth, limit=limit)

    async def analyze_decision_patterns(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        group_by: str = "context",
        *,
        exact: bool = False,
    ) -> dict[str, Any]:
        """Statistics of outcomes by `context`, `source`, `type`, or a path such as `reasoning.exploration_triggered`.

        By context, source or type, days that the nightly job has counted are added up from their counts, unless their
        decisions have changed since; `exact` reads all decisions.

        Returns:
            `total` and `groups` (largest first, each with its `group`), each with `count`, `with_outcome`,
            `succeeded`, `success_rate` with `low` and `high` (a 95 % Wilson score interval), `latency_ms` and
            `quality` (count, mean, median, p95, min, max), and `by_type`, the counts and rates of each decision type:
            decisions of several types have no rate in common, and `success_rate` is then None; `missing`, the decisions
            that are damaged and not counted, and `complete`, true if there are none.

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not respond.
        """
        filters = DecisionFilter(decision_type, time_range)
        return await in_thread(self._decisions.analyze_decision_patterns, filters, group_by, exact=exact)

    async def evaluate_policy(
        self,
        policy: Policy,
        time_range: TimeRange | None = None,
        *,
        decision_type: str | None = None,
        choice: str = "reasoning.selected",
        reward: str = SUCCESS,
        max_weight: float | None = None,
    ) -> dict[str, Any]:
        """What another policy would have achieved, from decisions that were logged with their propensities.

        Decisions are read here, and the policy is called here with each.

        Args:
            policy: a function of a decision that returns the probability of each option; what it leaves out has 0. A
                choice of several is one option, named by its members, sorted and joined by `+`.
            time_range: (start, end) without the end; None for either is unbounded.
            decision_type: only this type; by default all.
            choice: the path of what was chosen, as `reasoning.action`.
            reward: `success`, or the path of a number, as `metrics.quality`.
            max_weight: the cap on weights, 1 or more; by default the root of the number of decisions.

        Returns:
            `ips`, `snips` and `doubly_robust`, each with `value` and the 95 % `interval`; `logged`, the mean reward as
            it was; `decisions`, and `effective`, how many of the policy's own they are worth; `support`, the mean
            weight; `max_weight` and `capped`, how many weights were cut to it; `refused`, why there is no estimate, for
            instance below 100 effective decisions; `without_outcome`, `without_choice`, `without_propensity` and
            `without_reward`, decisions that were left out; `missing` and `complete` as in `query_decisions`.

        Raises:
            InvalidInput: names the argument. Unavailable: a tier did not respond.
        """
        filters = DecisionFilter(decision_type, time_range)
        return await in_thread(
            evaluate_policy, self._decisions, policy, filters, choice=choice, reward=reward, max_weight=max_weight
        )

    # Overridden by the buffered logger, which does not wait for a store.

    async def _log_decision(self, data: dict[str, Any]) -> str:
        return await in_thread(self._decisions.log_decision, data)

    async def _log_outcome(self, data: dict[str, Any]) -> None:
        await in_thread(self._decisions.log_outcome, data)


class SyncDecisions(SyncFacade):
    """The decision log of an agent, synchronous; the methods are those of `AsyncDecisions`."""

    def __init__(self, backend: DecisionBackend) -> None:
        self._decisions = self._backend = backend

    @property
    def write_shards(self) -> int:
        """The number of table partitions that new decisions are distributed over."""
        return self._decisions.write_shards

    def log_decision(
        self,
        decision_type: str,
        context: Document,
        reasoning: Document,
        metadata: Document | None = None,
        *,
        decision_id: str | None = None,
        timestamp: Instant | None = None,
        parent_ids: Sequence[str] = (),
        memory_ids: Sequence[str] = (),
        policy: str | None = None,
        policy_version: str | None = None,
        propensity: float | None = None,
        joint_propensity: float | None = None,
    ) -> str:
        """Log one decision and return its id, a UUID; see `AsyncDecisions.log_decision`."""
        data = decision_input(
            decision_type,
            context,
            reasoning,
            metadata=metadata,
            decision_id=decision_id,
            timestamp=timestamp,
            parent_ids=parent_ids,
            memory_ids=memory_ids,
            policy=policy,
            policy_version=policy_version,
            propensity=propensity,
            joint_propensity=joint_propensity,
        )
        return self._decisions.log_decision(data)

    def log_decisions(self, decisions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log several decisions; returns a result for each, in order; see `AsyncDecisions.log_decisions`."""
        return self._decisions.log_decisions(decisions)

    def log_outcome(
        self,
        decision_id: str,
        outcome: Document,
        success: bool,
        metrics: Document | None = None,
        *,
        horizon: str | None = None,
        amend: bool = False,
        headline: bool = False,
        timestamp: Instant | None = None,
    ) -> None:
        """Log an outcome of a decision; see `AsyncDecisions.log_outcome`."""
        data = outcome_item(
            decision_id,
            outcome,
            success,
            metrics=metrics,
            horizon=horizon,
            amend=amend,
            headline=headline,
            timestamp=timestamp,
        )
        self._decisions.log_outcome(data)

    def log_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Log several outcomes; returns a result for each, in order; see `AsyncDecisions.log_outcomes`."""
        return self._decisions.log_outcomes(outcomes)

    def get_decision(self, decision_id: str) -> DecisionDict:
        """One decision with its outcomes; see `AsyncDecisions.get_decision`."""
        return self._decisions.get_decision(decision_id)

    def query_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        text: str | None = None,
        newest_first: bool = True,
    ) -> Listing[DecisionDict]:
        """Up to `limit` decisions that meet every filter; see `AsyncDecisions.query_decisions`."""
        filters = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type, text)
        return _query(self._decisions, filters, limit, newest_first=newest_first)

    def page_decisions(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        success_filter: SuccessFilter = None,
        context_filter: Document | None = None,
        limit: int = 100,
        *,
        context_type: str | None = None,
        text: str | None = None,
        newest_first: bool = True,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """One page of `query_decisions`; see `AsyncDecisions.page_decisions`."""
        filters = DecisionFilter(decision_type, time_range, success_filter, context_filter, context_type, text)
        return self._decisions.page_decisions(filters, limit=limit, newest_first=newest_first, cursor=cursor)

    def get_decision_chain(
        self, decision_id: str, depth: int = 5, *, limit: int = MAX_LINKS
    ) -> Listing[dict[str, Any]]:
        """The decisions that led to a decision and those that followed; see `AsyncDecisions.get_decision_chain`."""
        return self._decisions.get_decision_chain(decision_id, depth, limit=limit)

    def analyze_decision_patterns(
        self,
        decision_type: str | None = None,
        time_range: TimeRange | None = None,
        group_by: str = "context",
        *,
        exact: bool = False,
    ) -> dict[str, Any]:
        """Statistics of outcomes by group; see `AsyncDecisions.analyze_decision_patterns`."""
        filters = DecisionFilter(decision_type, time_range)
        return self._decisions.analyze_decision_patterns(filters, group_by, exact=exact)

    def evaluate_policy(
        self,
        policy: Policy,
        time_range: TimeRange | None = None,
        *,
        decision_type: str | None = None,
        choice: str = "reasoning.selected",
        reward: str = SUCCESS,
        max_weight: float | None = None,
    ) -> dict[str, Any]:
        """What another policy would have achieved; see `AsyncDecisions.evaluate_policy`."""
        filters = DecisionFilter(decision_type, time_range)
        return evaluate_policy(self._decisions, policy, filters, choice=choice, reward=reward, max_weight=max_weight)


def _query(
    backend: DecisionBackend, filters: DecisionFilter, limit: int, *, newest_first: bool
) -> Listing[DecisionDict]:
    """Read pages until there are `limit` decisions, no more pages, or a day in cold storage."""
    page = backend.page_decisions(filters, limit=limit, newest_first=newest_first, cursor=None)
    found: Listing[DecisionDict] = Listing.from_body(page, "decisions")
    while found.cursor is not None and len(found) < limit and not _is_cold(found):
        remaining = limit - len(found)
        page = backend.page_decisions(filters, limit=remaining, newest_first=newest_first, cursor=found.cursor)
        found = Listing([*found, *page["decisions"]], [*found.missing, *page.get("missing", ())], page["cursor"])
    return found


def _is_cold(found: Listing[Any]) -> bool:
    return any(one["reason"] == InColdStorage.code for one in found.missing)
