"""Writes the report into a folder: the Markdown page, its plots, and the HTML file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from trading_agents.backtest.report.chapters import Chapter, make_chapters
from trading_agents.backtest.report.html import render_html
from trading_agents.backtest.report.markdown import Run, hedge_sentence, render_markdown
from trading_agents.backtest.report.plots import plots_of
from trading_agents.backtest.study.hedge_on_chains import HedgeResult
from trading_agents.backtest.study.run import Study

MARKDOWN_NAME = "does-memory-help.md"
HTML_NAME = "report.html"


def write_report(
    studies: Sequence[Study], folder: Path, hedge: Sequence[HedgeResult], run: Run
) -> tuple[list[str], Path]:
    """Write the report. Returns a summary in lines, and the path of the Markdown page.

    `hedge` are the results of the Hedge agent on option chains alone; `run` says what was run.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    chapters = make_chapters(studies)
    plots = [plot for chapter in chapters for plot in plots_of(chapter)]
    for plot in plots:
        plot.save(folder)
    path = folder / MARKDOWN_NAME
    text = render_markdown(chapters, hedge, run)
    path.write_text(text, encoding="utf-8")
    (folder / HTML_NAME).write_text(render_html(text, {plot.path: plot.drawings() for plot in plots}), encoding="utf-8")
    return [*(line for chapter in chapters for line in _lines(chapter)), *map(hedge_sentence, hedge)], path


def _lines(chapter: Chapter) -> Iterator[str]:
    yield f"{chapter.title}:"
    if chapter.excluded:
        yield f"Excluded: {'; '.join(chapter.excluded)}."
    yield from chapter.summaries
