"""Which option chains belong to which bars of a backtest, and what the Hedge agent makes of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trading_agents.backtest.study.hedge_on_chains import HedgeResult, hedge_on_chains
from trading_agents.bars import BarsError, without_endings
from trading_agents.indicators import OptionChain
from trading_agents.options import ChainFile, read_option_chains

NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """The option chains of a backtest.

    Attributes:
        files: all that were read.
        joined: the chains of each file of bars; empty for one without options.
    """

    files: tuple[ChainFile, ...]
    joined: tuple[tuple[OptionChain, ...], ...]

    @property
    def summaries(self) -> list[str]:
        """One line about each file."""
        return [file.summary for file in self.files]

    def measured(self) -> list[HedgeResult]:
        """Return what the Hedge agent makes of the chains of every underlying."""
        return [
            hedge_on_chains(f"{without_endings(file.name)}{f', {symbol}' if symbol else ''}", series.chains)
            for file in self.files
            for symbol, series in file.series.items()
        ]


def read_options(paths: Sequence[str], bars: int, *, symbol: str | None, time_zone: str | None) -> Options:
    """Read files of option chains: the first ones belong to the files of bars, in their order.

    Args:
        paths: of the files; `none` for bars without options.
        bars: number of files of bars.
        symbol: of the underlying, for a file with several that belongs to bars.
        time_zone: as `read_option_chains` takes it.

    Raises:
        BarsError: a file cannot be used, or has several underlyings and none is chosen.
    """
    files: dict[str, ChainFile] = {}
    joined: list[tuple[OptionChain, ...]] = []
    for number, path in enumerate(paths):
        if path == NONE:
            joined.append(())
            continue
        if path not in files:
            files[path] = read_option_chains(Path(path), time_zone=time_zone)
        joined.append(files[path].one(symbol).chains if number < bars else ())
    if not files and paths:
        raise BarsError("--options: every file is `none`; leave the option out")
    missing = [()] * (bars - len(joined))
    return Options(tuple(files.values()), (*joined, *missing)[:bars])
