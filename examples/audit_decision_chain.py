"""Decision auditing: trace a decision, what led to it, and its consequences."""

import asyncio
import sys

from agent_memory import DecisionLogger
from examples.connection import open_memory


async def audit_decision_chain(logger: DecisionLogger, decision_id: str) -> None:
    """Print a decision and the decisions related to it."""
    # Get the decision
    decision = await logger.get_decision(decision_id)

    # Get related decisions (what led to this, what came after)
    chain = await logger.get_decision_chain(decision_id, depth=10)

    # Analyze the chain
    print(f"Decision: {decision['decision_type']}")
    print(f"Context: {decision['context']}")
    print(f"Reasoning: {decision['reasoning']}")
    print(f"Outcome: {decision['outcome']}")
    print(f"\nRelated decisions: {len(chain)}")

    for related in chain:
        print(f"  - {related['decision_type']} at {related['timestamp']}: {related['why']}")


async def main() -> None:
    """Audit the decision named on the command line, or else the newest source selection."""
    _, logger = open_memory()
    if len(sys.argv) > 1:
        await audit_decision_chain(logger, sys.argv[1])
        return
    newest = await logger.query_decisions("SOURCE_SELECTION", limit=1)
    if not newest:
        sys.exit("There is no decision to audit yet; run examples.run_cycle_with_memory first")
    await audit_decision_chain(logger, newest[0]["decision_id"])


if __name__ == "__main__":
    asyncio.run(main())
