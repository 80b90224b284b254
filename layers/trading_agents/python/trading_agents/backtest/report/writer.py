"""Writes the report into a folder: the Markdown page, its plots, and the HTML file."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from trading_agents.backtest.report.chapters import Chapter, make_chapters
from trading_agents.backtest.report.html import render_html
from trading_agents.backtest.report.markdown import render_markdown
from trading_agents.backtest.report.plots import plot_changes, plot_summed_returns
from trading_agents.backtest.study.run import Study

MARKDOWN_NAME = "does-memory-help.md"
HTML_NAME = "report.html"


def write_report(studies: Sequence[Study], folder: Path) -> tuple[list[str], Path]:
    """Write the report. Returns a summary in lines, and the path of the Markdown page."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    chapters = make_chapters(studies)
    for chapter in chapters:
        plot_changes(chapter.shown, images / f"{chapter.slug}.png")
        for study in chapter.shown:
            plot_summed_returns(study, images / f"{chapter.slug}-{study.name}.png")
    path = folder / MARKDOWN_NAME
    text = render_markdown(chapters)
    path.write_text(text, encoding="utf-8")
    (folder / HTML_NAME).write_text(render_html(text, folder), encoding="utf-8")
    return [line for chapter in chapters for line in _lines(chapter)], path


def _lines(chapter: Chapter) -> Iterator[str]:
    yield f"{chapter.title}:"
    if chapter.excluded:
        yield f"Excluded: {'; '.join(chapter.excluded)}."
    yield from chapter.summaries
