"""`BarAdvice`: what memory advised on the newest bar, kept so that the bar can be traded again alike.

A bar that was being logged when the process ended is decided again from the state. What memory advises may have changed
since then, and other decisions would not be those in the log; so the answers are saved with the bar.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory import InvalidInput
from trading_agents.core.advice import Adviser


class BarAdvice:
    """An adviser that remembers its answers on the newest bar.

    Args:
        adviser: asked where there is no answer yet; None if only answers that were saved are needed.
    """

    def __init__(self, adviser: Adviser | None) -> None:
        self._adviser = adviser
        self.answers: dict[str, dict[str, Any]] = {}

    def begin(self, answers: Mapping[str, dict[str, Any]] | None = None) -> None:
        """Begin a bar, with the answers that were saved for it if it is decided again."""
        self.answers = dict(answers or {})

    def advise(
        self, decision_type: str, context: dict[str, Any], options: Sequence[str], *, choice: str | None = None
    ) -> dict[str, Any]:
        """Return the answer of this bar; see `Adviser`.

        Raises:
            InvalidInput: there is no adviser. Unavailable: the adviser's table did not respond.
        """
        question = json.dumps([decision_type, context, list(options), choice], sort_keys=True)
        if question not in self.answers:
            if self._adviser is None:
                raise InvalidInput("adviser", "this trader follows advice; pass an adviser")
            advice = self._adviser.advise(decision_type, context, options, choice=choice)
            self.answers[question] = {
                "options": [
                    {name: one[name] for name in ("option", "expected", "interval", "is_prior")}
                    for one in advice["options"]
                ],
                "memory_ids": list(advice["memory_ids"]),
            }
        return self.answers[question]
