"""Bars that arrive one by one, and a log that behaves like the store and can fail on request."""

from datetime import UTC, datetime

from agent_memory import Conflict, NotFound, Unavailable
from tests.unit.trading_agents.price_samples import walk
from trading_agents.paper import PaperBar


def paper_bars(count=420, seed=3, **settings):
    bars = walk(count, seed, **settings)
    times = [datetime.fromtimestamp(int(moment.astype("int64")), UTC) for moment in bars.time]
    columns = zip(bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    spreads = [{}] * len(times)
    if bars.spread_open is not None:
        pairs = zip(bars.spread_open.tolist(), bars.spread_close.tolist(), strict=True)
        spreads = [{"spread_open": at_open, "spread_close": at_close} for at_open, at_close in pairs]
    rows = zip(times, columns, spreads, strict=True)
    return [PaperBar(time, *map(float, row), **spread) for time, row, spread in rows]


async def feed(bars):
    for bar in bars:
        yield bar


class Killed(BaseException):
    """The end of the process, as far as the code can tell."""


class Log:
    """Keeps decisions and outcomes by id; repeating one changes nothing, other content is a conflict."""

    def __init__(self):
        self.decisions, self.outcomes = {}, {}
        self.calls = self.repeated = 0
        self.fails_at, self.failure = None, None

    def fail_at(self, call, failure):
        self.fails_at, self.failure = call, failure

    async def log_decision(self, decision_type, context, reasoning, *, decision_id, parent_ids=()):
        self._count()
        self._keep(self.decisions, decision_id, (decision_type, context, reasoning, tuple(parent_ids)))
        return decision_id

    async def log_outcome(self, decision_id, outcome, success, metrics, **more):
        self._count()
        if decision_id not in self.decisions:
            raise NotFound(decision_id)
        self._keep(self.outcomes, (decision_id, more.get("horizon")), (outcome, success, metrics, more))

    def _count(self):
        self.calls += 1
        if self.calls == self.fails_at:
            raise self.failure

    def _keep(self, kept, key, content):
        if kept.setdefault(key, content) != content:
            raise Conflict(f"{key} has other content")
        self.repeated += 1


class KillingMemory:
    """The state of an agent; the process ends before or after a save, or the save is made and not answered."""

    def __init__(self, memory, dies_at=None, moment=""):
        self._memory, self.saves = memory, 0
        self.dies_at, self.moment = dies_at, moment

    def load_state(self, *, fresh=False):
        return self._memory.load_state(fresh=fresh)

    def save_state(self, state, *, expected_version=None):
        self.saves += 1
        is_now = self.saves == self.dies_at
        if is_now and self.moment == "before":
            raise Killed
        saved = self._memory.save_state(state, expected_version=expected_version)
        if is_now:
            raise Unavailable("no answer") if self.moment == "unanswered" else Killed
        return saved


def write_csv(path, bars, *, header=True):
    """Write bars as a file, or append them to one."""
    lines = ["timestamp,open,high,low,close,volume"] if header else []
    lines += [
        f"{bar.time.isoformat()},{bar.open!r},{bar.high!r},{bar.low!r},{bar.close!r},{bar.volume!r}" for bar in bars
    ]
    with path.open("w" if header else "a") as file:
        file.write("\n".join(lines) + "\n")
