"""`Chapter`: the studies of one kind of portfolio on all files."""

from collections.abc import Sequence
from dataclasses import dataclass

from trading_agents.backtest.engine.memory_rules import MemoryRule
from trading_agents.backtest.study.claims import CLAIMS, exclusion, is_usable, summary
from trading_agents.backtest.study.run import Study

TEXTBOOK, VOTING = "does-memory-help", "does-memory-help-agents"


@dataclass(frozen=True, slots=True)
class Chapter:
    """The studies of one kind of portfolio.

    Attributes:
        title: what was traded.
        slug: prefix of the names of its plots.
        studies: one for each file.
    """

    title: str
    slug: str
    studies: tuple[Study, ...]

    @property
    def shown(self) -> tuple[Study, ...]:
        """The studies in tables and plots: the usable ones, or all if none is usable."""
        return tuple(filter(is_usable, self.studies)) or self.studies

    @property
    def excluded(self) -> list[str]:
        """Names of the files that cannot be used, with the reasons."""
        return [exclusion(study) for study in self.studies if not is_usable(study)]

    @property
    def summaries(self) -> list[str]:
        """One sentence for each claim."""
        return [summary(claim, self.studies) for claim in CLAIMS]

    @property
    def rules(self) -> list[MemoryRule]:
        """Every memory rule of the shown studies, once."""
        return list({one.rule.name: one.rule for study in self.shown for one in study.assessments}.values())


def make_chapters(studies: Sequence[Study]) -> list[Chapter]:
    """Return the chapter of the textbook agents and that of the voting agents, as far as they were studied."""
    textbook = tuple(study for study in studies if study.portfolio.votes is None)
    voting = tuple(study for study in studies if study.portfolio.votes is not None)
    chapters = (
        Chapter("Seven textbook agents", TEXTBOOK, textbook),
        Chapter("Five agents with memory", VOTING, voting),
    )
    return [chapter for chapter in chapters if chapter.studies]
