from types import SimpleNamespace

from tests.unit.trading_agents.paper_samples import paper_bars
from trading_agents.paper.progress import Progress

TRADER = SimpleNamespace(trades=3, equity=1.0123)


def test_a_line_is_written_after_the_first_bar_and_then_every_five_seconds():
    now, lines = 100.0, []
    progress = Progress(TRADER, lines.append, clock=lambda: now)
    for number, bar in enumerate(paper_bars(12)):
        now = 100.0 + number
        progress.on_report(bar, None)
    assert [line.split(": ")[1].split(",")[0] for line in lines] == ["1 new bars", "6 new bars", "11 new bars"]
    assert lines[0].endswith("UTC: 1 new bars, 3 trades, equity 1.0123")
