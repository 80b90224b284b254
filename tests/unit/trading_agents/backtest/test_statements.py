"""What docstrings say about memory rules is what docs/does-memory-help.md says, with the number of files."""

import re
from pathlib import Path

import pytest

from trading_agents import AgentHealth, Composer, CostGate, LossMemory, PosteriorRule, VolatilityMemory, WinRateRule

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/does-memory-help.md").read_text()
FILES = ("spy_1h_1998_2021", "btcusd_1h_2019_2023", "eurusd_1h_bidask_2007_2018")
NUMBER = r"[-+]\d+(?:\.\d+)?"


def sections():
    """The section of each file, for textbook agents and for the five agents."""
    found = dict(re.findall(r"^## (\S+?, five agents|\w+)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))
    return {name: text for name, text in found.items() if name.partition(",")[0] in FILES}


SECTIONS = sections()


def measured(rule, column, chapters=("", ", five agents")):
    """The cells of a rule in one column of the tables of all files that have it."""
    cells = []
    for chapter in chapters:
        for name in FILES:
            for line in SECTIONS[name + chapter].splitlines():
                parts = [part.strip() for part in line.strip("|").split("|")]
                is_assessment = len(parts) == 10
                if parts[0] == rule and is_assessment == (column in ASSESSED):
                    cells.append(parts[(ASSESSED if is_assessment else FAILING).index(column) + 1])
    return cells


ASSESSED = ("skipped", "sharpe", "p shift", "p shuffle", "drawdown", "shortfall", "net", "win rate", "deflated")
FAILING = ("steady", "failing", "failing_drawdown")


def numbers(cells):
    return [float(re.match(NUMBER, cell).group()) for cell in cells]


def span(cells, digits=2):
    low, high = min(numbers(cells)), max(numbers(cells))
    return f"{low:+.{digits}f} to {high:+.{digits}f}"


def words(documented):
    return " ".join(documented.__doc__.split())


def held_beyond_chance(rule, improvement, chapter):
    """`k of n files` from the sentences of a chapter of the page; 0 where it has none."""
    claims = re.search(rf"^## {chapter}: claims and findings\n(.*?)^\|", PAGE, re.MULTILINE | re.DOTALL).group(1)
    found = re.search(rf"^- {re.escape(rule)}: {improvement} on (\d+ of \d+ files?)", claims, re.MULTILINE)
    return found.group(1) if found else None


TEXTBOOK, VOTING = "Seven textbook agents", "Five agents with memory"


def test_all_files_are_on_the_page():
    assert len(SECTIONS) == 2 * len(FILES)


def test_win_rate_rule():
    assert f"the Sharpe ratio changes by {span(measured('win-rate rule', 'sharpe'))}" in words(WinRateRule)
    assert held_beyond_chance("win-rate rule", "higher Sharpe ratio", TEXTBOOK) is None


def test_posterior_rule():
    changes, steady = measured("regime posterior", "sharpe"), numbers(measured("regime posterior", "steady"))
    assert f"the Sharpe ratio changed by {span(changes)}, beyond chance on 0 of 3 files" in words(PosteriorRule)
    assert held_beyond_chance("regime posterior", "higher Sharpe ratio", TEXTBOOK) is None
    assert f"stay profitable lost {-max(steady):.2f} to {-min(steady):.2f}" in words(PosteriorRule)


def test_agent_health():
    rule = "retire, recent"
    assert f"profitable changed by {span(measured(rule, 'steady'))}" in words(AgentHealth)
    assert f"fail midway by {span(measured(rule, 'failing'))}" in words(AgentHealth)
    falls = sorted(-number for number in numbers(measured(rule, "failing_drawdown")))
    assert f"fell by {falls[0]:.0f} to {falls[-1]:.0f}%" in words(AgentHealth)
    assert len(falls) == 6
    assert not re.search(rf"^- {rule}: ", PAGE, re.MULTILINE)


def test_cost_gate():
    (textbook, five) = re.findall(r"^\|  \| cost gate \| – \| – \| (\S+ \[.*?\])", sharpe_rows(), re.MULTILINE)
    assert f"changed by {textbook} with textbook agents and by {five} with the five agents" in words(CostGate)
    assert held_beyond_chance("cost gate", "better trades", VOTING) == "1 of 1 file"
    assert "1 of 1 file with quotes" in words(CostGate)


def sharpe_rows():
    """The rows about the Sharpe ratio in the tables of claims."""
    return "\n".join(re.findall(r"^\| Sharpe ratio, .*?(?=^\| maximum drawdown)", PAGE, re.MULTILINE | re.DOTALL))


def test_volatility():
    falls = sorted(-number for number in numbers(measured("volatility", "shortfall")))
    assert f"fell by {falls[0]:.0f} to {falls[-1]:.0f}%" in words(VolatilityMemory)
    for chapter in (TEXTBOOK, VOTING):
        assert held_beyond_chance("volatility", "smaller losses on the worst 1% of days", chapter) == "2 of 3 files"
        assert held_beyond_chance("volatility", "higher Sharpe ratio", chapter) is None
    assert "beyond chance on 2 of 3 files" in words(VolatilityMemory)
    assert "-0.60 [-1.01, -0.26]" in words(VolatilityMemory)
    assert "| volatility | +0.00 [-0.15, +0.16] no | -0.60 [-1.01, -0.26] no |" in PAGE


def test_losses():
    assert f"changed the Sharpe ratio by {span(measured('pause', 'sharpe'))}" in words(LossMemory)
    drawdown = re.search(rf"^\|  \| pause \| {NUMBER} \[.*?\] \? \| (\+48 \[.*?\])", PAGE, re.MULTILINE).group(1)
    assert f"changed by {drawdown} %" in words(LossMemory)


@pytest.mark.parametrize("rule", ["composer", "composer by regime"])
def test_composer(rule):
    assert span(measured(rule, "sharpe")) in words(Composer)
    assert held_beyond_chance(rule, "higher Sharpe ratio", VOTING) is None


@pytest.mark.parametrize("rule", ["size by regime", "switch by regime", "volume by regime"])
def test_rules_that_are_off_helped_on_no_file(rule):
    record = (ROOT / "docs/decisions/0073-rules-by-regime-stay-off.md").read_text()
    row = next(line for line in record.splitlines() if line.startswith(f"| {rule} |"))
    assert re.search(rf"\| 0 of {len(measured(rule, 'sharpe'))} files", row)
    assert not re.search(rf"^- {rule}: ", PAGE, re.MULTILINE)
    found, steady = re.findall(NUMBER, "|".join(row.split("|")[4:5])), re.findall(NUMBER, row.split("|")[5])
    assert [float(number) for number in found] == numbers(measured(rule, "sharpe"))
    assert [float(number) for number in steady] == numbers(measured(rule, "steady"))


def test_the_page_is_of_a_run_with_option_chains():
    assert (
        "Option chains are joined with 238 bars of 34 days; the Hedge agent votes for a direction on 28 of them" in PAGE
    )
    rows = re.findall(r"^\| (?:spx|aapl_goog)\S*?, (\w+) \| (\d+); (\d+) \|", PAGE, re.MULTILINE)
    assert rows == [("SPX", "34", "34"), ("AAPL", "11", "10"), ("GOOG", "6", "6")]


def test_the_page_names_the_one_command_that_read_all_its_files():
    command = re.search(
        r"^## The run\n.*?```sh\nagent-memory backtest \\\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE
    ).group(1)
    bars = re.findall(r"--bars (\S+)\.csv\.gz", command)
    assert bars == [*FILES, "btc_perp_1m_2022-01"]
    headings = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]
    assert [name for name in headings if name in bars] == bars
    assert [name for name in headings if name.removesuffix(", five agents") in bars] == [
        *bars,
        *(f"{name}, five agents" for name in bars),
    ]
