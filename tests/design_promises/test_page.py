"""The page of promises is up to date, and its differences are argued where it says."""

from pathlib import Path

import pytest

from tests.design_promises.differences import DIFFERENCES
from tests.design_promises.page import promises_page, sections

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date():
    assert (DOCS / "promises.md").read_text(encoding="utf-8") == promises_page(), "run `make promises`"


def test_every_section_and_subsection_has_promises():
    assert [section.number for section in sections()] == [str(n) for n in range(1, 13)]
    assert [one.number for section in sections() for one in section.subsections if not one.promises] == []


@pytest.mark.parametrize("one", DIFFERENCES, ids=lambda one: f"{one.section} {one.designed}")
def test_a_difference_is_argued_on_its_page(one):
    assert (DOCS / one.argued_in.partition("#")[0]).is_file()
