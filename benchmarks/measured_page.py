"""Writes what a benchmark measured into a page of the documentation, between two markers."""

from pathlib import Path


def write_measured(page: Path, measured_by: str, measured: str) -> None:
    """Replace the measured part of a page.

    Args:
        page: Markdown, with the markers on lines of their own.
        measured_by: the module whose part it is.
        measured: the new text.

    Raises:
        ValueError: the page lacks one of the markers.
    """
    begin, end = f"<!-- measured by {measured_by} -->\n", "<!-- end of measured part -->\n"
    before, found_begin, rest = page.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{page}: needs the lines {begin.strip()} and {end.strip()}")
    page.write_text(f"{before}{begin}\n{measured}\n{end}{after}")
