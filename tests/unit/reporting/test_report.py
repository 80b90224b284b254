import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from report_samples import CONTEXTS, TYPES, empty_report, rich_report

from agent_memory.pricing import monthly_cost
from agent_memory.reporting import formatting, render_report
from tests.workloads import DEPLOYMENT, UNITS, every_ten_minutes

PLOTS = ("days", "contexts", "sources", "patterns", "reliability", "levels")
VOID = {"meta", "br"}
LOADING = {"src", "href", "xlink:href", "srcset", "data", "poster", "action", "formaction", "background"}
HOSTILE = "<script>alert(1)</script> & \"x\" 'y' $\\frac{1}{0}$ 日本 \x00\u200b </style><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """The parsed page: its tags with attributes, its text, and whether every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts)).replace("\u00a0", " ")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def plots(page: Page) -> list[str]:
    """Classes of the plots, each of which is present for wide and for narrow screens."""
    return [str(svg["class"]) for svg in page.all("svg")]


def hostile_report() -> dict[str, Any]:
    """A report in which every text is an attack."""

    def poisoned(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: poisoned(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [poisoned(inner, key) for inner in value]
        times = {"at", "date", "time_range", "generated_at", "learned_at", "oldest", "newest"}
        return f"{value}{HOSTILE}" if isinstance(value, str) and key not in times else value

    return poisoned(rich_report(days=12))


REPORTS = {
    "rich": rich_report,
    "empty": empty_report,
    "one day": lambda: rich_report(days=1),
    "three years": lambda: rich_report(days=1100),
    "many types": lambda: rich_report(days=20, types={f"TYPE_{n}": 0.5 for n in range(9)}),
    "hostile": hostile_report,
}


@pytest.fixture(scope="module", params=REPORTS)
def html(request: pytest.FixtureRequest) -> str:
    return render_report(REPORTS[request.param]())


def test_every_page_is_well_formed_and_small(html: str) -> None:
    page = Page(html)
    assert page.open == []
    assert len(html.encode()) < 1_000_000


def test_no_page_loads_or_runs_anything(html: str) -> None:
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "foreignobject"}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} has {name}"
            if name in LOADING:
                assert str(value).startswith("#"), f"{tag} loads {value}"
    style = html[html.index("<style>") : html.index("</style>")]
    assert "@import" not in html
    assert "url(" not in style
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    assert not re.search(r"https?:", html)


def test_ids_are_unique_and_everything_referred_to_exists(html: str) -> None:
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"|aria-labelledby="([^"]+)"', html)
    assert {name for names in referred for name in names if name} <= set(ids)


def test_every_plot_has_an_alternative_text_and_every_table_a_caption_and_scopes(html: str) -> None:
    page = Page(html)
    for svg in page.all("svg"):
        assert svg["role"] == "img"
        assert len(str(svg["aria-label"])) > 40
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") in {"row", "col"} for cell in page.all("th"))


def test_every_section_has_a_heading(html: str) -> None:
    page = Page(html)
    headings = [attributes.get("id") for attributes in page.all("h2")]
    assert headings[:7] == ["days", "contexts", "sources", "patterns", "reliability", "control", "levels"]
    assert headings[7:] in (["cost"], [])


def test_every_colour_is_defined_by_the_page(html: str) -> None:
    assert not re.search(r"#0102[0-9a-f]{2}", html)
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", html))
    set_by_elements = {"--key", "--part"}
    assert used - set_by_elements <= set(re.findall(r"(--[a-z0-9-]+):", html))


def test_a_rich_page_has_every_plot_for_both_widths() -> None:
    page = Page(render_report(rich_report()))
    assert plots(page) == ["plot wide", "plot narrow"] * (len(PLOTS) + 5)  # five patterns have changed


@pytest.mark.slow
def test_a_rich_page_shows_the_numbers_of_the_report() -> None:
    report = rich_report()
    text = Page(render_report(report)).text
    totals = report["totals"]
    assert f"{totals['decisions']:,} decisions on 120 days" in text
    (signals,) = [row for row in report["success_by_type"] if row["decision_type"] == "SIGNAL_GENERATION"]
    assert "Signal generation: succeeded" in text
    assert f"{signals['success_rate']:.1%}".replace("%", " %") in text
    assert f"n = {signals['with_outcome']:,}" in text.replace("\u00a0", " ")
    for pattern in report["patterns"]:
        assert pattern["description"] in text
        assert f"{pattern['sample_size']:,}" in text
    for line in report["cost"]["lines"]:
        assert line["usage"] in text
    assert "The same search finds nothing in shuffled outcomes" in text
    assert "20 times" in text
    assert "55 of 70 forecasts came true, 61 expected" in text
    assert "0.161, better than 0.168" in text


def test_forecasts_that_all_came_true_are_not_compared_with_hindsight() -> None:
    report = rich_report()
    report["reliability"] |= {"came_true": 70, "brier": 0.004, "brier_of_base_rate": 0.0}
    text = Page(render_report(report)).text
    assert "0.004, which only hindsight could improve on" in text
    assert "no better" not in text


def test_the_context_table_has_every_rate() -> None:
    report = rich_report()
    html = render_report(report)
    table = html[html.index("Success by context and decision type</caption>") :].split("</table>")[0]
    assert table.count("<tr>") == 1 + len(CONTEXTS) * len(TYPES)


def test_an_empty_page_has_no_plot_and_says_why() -> None:
    page = Page(render_report(empty_report()))
    assert plots(page) == []
    for sentence in (
        "No decision in this range",
        "The first decision will appear here",
        "No success rate by context yet",
        "No success rate by source yet",
        "No pattern has been learned yet",
        "No pattern has made a forecast yet",
        "The control has not been run",
        "No level holds anything yet",
    ):
        assert sentence in page.text
    assert "None" not in page.text
    assert "nan" not in page.text


def test_decisions_without_outcomes_have_bars_but_no_rates() -> None:
    report = rich_report(days=3)
    report["totals"] |= {"with_outcome": 0}
    for rows in ("decisions_per_day", "success_by_context", "success_by_source", "success_by_type"):
        for row in report[rows]:
            row |= {"with_outcome": 0, "succeeded": 0}
    for rows in ("success_by_context", "success_by_source", "success_by_type"):
        for row in report[rows]:
            row |= {"success_rate": None, "low": None, "high": None}
    report["patterns"] = []
    report["confidence_trends"] = []
    report["reliability"] = empty_report()["reliability"]
    page = Page(render_report(report))
    assert plots(page) == ["plot wide", "plot narrow"] * 2
    assert "no outcome yet" in page.text
    assert "None" not in page.text


def test_a_context_without_decisions_of_a_type_has_no_outcome() -> None:
    report = rich_report(days=20)
    removed = report["success_by_context"].pop(0)
    page = Page(render_report(report))
    assert "no outcome" in page.text
    assert f"{removed['with_outcome']}" not in {text.strip() for text in page.texts if "n = " in text}


def test_contexts_beyond_the_fourteen_with_the_most_outcomes_are_only_counted() -> None:
    report = rich_report(days=20)
    rows = [row for row in report["success_by_context"] if row["decision_type"] == "SIGNAL_GENERATION"]
    report["success_by_context"] = [
        row | {"context_type": f"{row['context_type']}|phase={phase}"} for row in rows for phase in (1, 2)
    ]
    html = render_report(report)
    assert "Not drawn: 4 contexts with fewer outcomes" in Page(html).text
    wide = html[html.index('class="plot wide"', html.index('id="contexts"')) :].split("</svg>")[0]
    assert len(re.findall(r">trend [^<]*</text>", wide)) == 14


def test_one_day_is_one_bar() -> None:
    text = Page(render_report(rich_report(days=1))).text
    assert re.search(r"\d+ decisions on 1 day ", text)


@pytest.mark.slow
def test_years_are_drawn_in_weeks() -> None:
    text = Page(render_report(rich_report(days=1100))).text
    assert "in 158 weeks" in text
    assert "Decisions per week" in text


@pytest.mark.slow
def test_types_beyond_the_number_of_colours_are_other_types() -> None:
    page = Page(render_report(rich_report(days=20, types={f"TYPE_{n}": 0.5 for n in range(9)})))
    assert "Other types" in page.text
    assert len([tag for tag in page.all("li") if "--key" in str(tag.get("style"))]) == 6


@pytest.mark.slow
def test_hostile_text_is_shown_as_text() -> None:
    html = render_report(hostile_report())
    assert "<script" not in html.lower()
    assert "<img" not in html.lower()
    assert html.count("</style>") == 1
    page = Page(html)
    assert "<script>alert(1)</script>" in page.text
    assert "日本" in page.text


def test_emerging_and_deprecated_patterns_are_separate_from_active_ones() -> None:
    report = rich_report()
    report["patterns"][3]["status"] = "emerging"
    text = Page(render_report(report)).text
    assert "4 active patterns, 1 emerging, 1 deprecated" in text
    assert "1 emerging: not confirmed yet by decisions that were not used to find them" in text
    assert "1 deprecated: contradicted by recent outcomes" in text


def test_patterns_that_were_stored_without_a_test_are_not_called_confirmed() -> None:
    report = rich_report(days=5)
    report["patterns"] = [{**report["patterns"][0], "status": status} for status in (None, "mine")]
    text = Page(render_report(report)).text
    for said in (
        "0 active patterns, 2 untested",
        "With the true outcomes, no patterns were confirmed",
        "2 untested: stored by the agent or a person, not found by the nightly job",
    ):
        assert said in text


def test_patterns_found_in_shuffled_outcomes_are_not_hidden() -> None:
    report = rich_report(days=5)
    report["control"] = {"shuffles": 20, "promoted": 3, "candidates_tried": 4912}
    text = Page(render_report(report)).text
    assert "The same search finds 3 patterns in shuffled outcomes" in text
    assert "a poor explanation" not in text


def test_the_cost_estimate_fits_the_page() -> None:
    cost = monthly_cost(every_ten_minutes(), DEPLOYMENT, units=UNITS)
    text = Page(render_report(empty_report() | {"cost": cost.as_dict()})).text
    assert f"A month would cost ${cost.total_usd}" in text
    assert "(assumed: seconds, initializations)" in text
    assert all(note in text for note in cost.notes)


@pytest.mark.slow
def test_rendering_is_deterministic_and_does_not_change_the_report() -> None:
    report = rich_report(days=5)
    before = copy.deepcopy(report)
    assert render_report(report) == render_report(report)
    assert report == before


def test_labels_that_differ_at_their_ends_are_shown_to_their_ends() -> None:
    report = rich_report(days=5)
    facts = " ".join(f"with fact {n} of the market" for n in range(4))
    for number, pattern in enumerate(report["patterns"][:2]):
        condition = f"Signal generation {facts} and number {number}"
        pattern["description"] = f"{condition} succeeded in 60% of 90 cases, against 50% of others"
    html = render_report(report)
    for css_class in ("wide", "narrow"):
        plot = html[html.index(f'class="plot {css_class}"', html.index('id="patterns"')) :].split("</svg>")[0]
        assert "number 0<" in plot
        assert "number 1<" in plot


def test_the_dates_of_few_days_do_not_run_together() -> None:
    html = render_report(rich_report(days=5))
    plot = html[html.index('class="plot narrow"') :].split("</svg>")[0]
    dates = re.findall(r">\d+ Nov</text>", plot)
    assert len(dates) == 1


def test_each_pattern_has_its_own_line_of_confidence() -> None:
    html = render_report(rich_report(days=5))
    text = Page(html).text
    assert "How confidence has changed" in text
    labels = [str(svg["aria-label"]) for svg in Page(html).all("svg")]
    assert len([one for one in labels if "9 versions. Confidence" in one]) == 2 * 5
    assert len([one for one in labels if ", removed; success rate" in one]) == 2


def test_sources_that_were_never_judged_are_named_so() -> None:
    report = rich_report(days=5)
    for row in report["success_by_source"]:
        row |= {"measured_by": "selection", "decision_type": "SOURCE_SELECTION"}
    assert "do not say which source was right" in Page(render_report(report)).text


def test_a_report_without_a_cost_has_no_section_of_it() -> None:
    report = rich_report(days=5)
    del report["cost"]
    text = Page(render_report(report)).text
    assert "month" not in text.replace("months", "")


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        (
            "Signals in bullish markets succeeded in 71% of 1,340 cases, against 49% of other signals",
            "Signals in bullish markets",
        ),
        ("News chosen in calm markets: 71% of 340 succeeded, against 49% otherwise", "News chosen in calm markets"),
        ("Whales predict pumps in bull runs", "Whales predict pumps in bull runs"),
    ],
)
def test_a_label_is_a_sentence_up_to_its_numbers(description: str, shown: str) -> None:
    assert formatting.condition(description) == shown
