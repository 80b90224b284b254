"""Which columns of a file mean what: the names that vendors and libraries give them.

Names are compared in lower case without spaces, punctuation, parentheses and leading numbers: `Adj Close`, `adj_close`
and `5. adjClose` are all `adjclose`.
"""

import re
from collections.abc import Mapping, Sequence

PRICES = ("open", "high", "low", "close")
SIDES = ("bid", "ask")
QUOTES = tuple(f"{side}_{price}" for side in SIDES for price in PRICES)
ADJUSTED_PRICES = tuple(f"adj_{price}" for price in PRICES)


def _quote_names(side: str, price: str) -> tuple[str, ...]:
    return (f"{side}{price}", f"{price}{side}", f"{side}{price[0]}", f"{price[0]}{side}")


NAMES: Mapping[str, tuple[str, ...]] = {
    "time": (
        "timestamp", "datetime", "dateandtime", "datetimeutc", "date", "time", "opentime", "gmttime", "localtime",
        "timeutc", "utctime", "tsevent", "windowstart", "timeperiodstart", "periodstart", "starttime", "start", "begin",
        "startts", "candlebegintime", "bartime", "tradedate", "tradingday", "tradetime", "pricedate", "day", "datum",
        "zeitpunkt", "unix", "unixtimestamp", "unixtime", "epoch", "epochtime", "timestampms", "timems", "ts", "t",
        "d", "dt", "dates", "mts", "index", "indexlevel0", "unnamed0", "",
    ),
    "time_of_day": ("time", "timeofday", "uhrzeit", "zeit", "tradetime"),
    "open": (
        "open", "o", "openprice", "openingprice", "opening", "first", "midopen", "mido", "eröffnung", "erster",
        "pxopen",
    ),
    "high": ("high", "h", "highprice", "max", "hi", "midhigh", "midh", "hoch", "pxhigh"),
    "low": ("low", "l", "lowprice", "min", "lo", "midlow", "midl", "tief", "pxlow"),
    "close": (
        "close", "c", "closeprice", "closingprice", "closelast", "last", "lastprice", "midclose", "midc", "schluss",
        "schlusskurs", "schlußkurs", "pxlast", "pxclose", "settle", "price",
    ),
    "volume": (
        "volume", "vol", "v", "basevolume", "volumebase", "volumetraded", "totalvolume", "tradevolume",
        "totaltradedvolume", "pxvolume", "stuecke", "stücke", "volumen", "tickvolume", "tickvol",
    ),
    "tick_volume": ("tickvolume", "tickvol"),
    "symbol": ("symbol", "ticker", "tickers", "sym", "tic", "instrument", "instrumentid", "asset", "pair", "product",
               "contract", "secid", "tscode", "code", "name", "stock", "s"),
    **{f"{side}_{price}": _quote_names(side, price) for side in SIDES for price in PRICES},
    "adj_open": ("adjopen", "adjustedopen"),
    "adj_high": ("adjhigh", "adjustedhigh"),
    "adj_low": ("adjlow", "adjustedlow"),
    "adj_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted", "adjustedcloseprice"),
    "adj_volume": ("adjvolume", "adjustedvolume"),
    "adj_factor": ("adjfactor", "adjustmentfactor", "adjustfactor", "pricefactor"),
    "split_factor": ("splitfactor", "splitcoefficient", "splitratio"),
}  # fmt: skip
"""The names of each column that is read, the most telling first."""

VENDORS: Sequence[tuple[str, frozenset[str]]] = (
    ("Binance klines", frozenset({"opentime", "closetime", "ignore"})),
    ("Binance klines", frozenset({"opentime", "closetime", "quotevolume"})),
    ("Alpaca bars", frozenset({"t", "o", "h", "l", "c", "v", "n", "vw"})),
    ("Polygon aggregates", frozenset({"ticker", "windowstart", "transactions"})),
    ("Databento OHLCV", frozenset({"tsevent", "rtype", "publisherid"})),
    ("CryptoDataDownload", frozenset({"unix", "date", "symbol", "open"})),
    ("Tiingo prices", frozenset({"adjopen", "adjvolume", "divcash", "splitfactor"})),
    ("Alpha Vantage", frozenset({"timestamp", "adjustedclose", "dividendamount"})),
    ("Quandl end of day", frozenset({"exdividend", "splitratio", "adjopen"})),
    ("Yahoo Finance", frozenset({"date", "open", "high", "low", "close", "adjclose", "volume"})),
    ("MetaTrader export", frozenset({"date", "time", "tickvol", "spread"})),
    ("MetaTrader export", frozenset({"date", "tickvol", "spread"})),
    ("Stooq", frozenset({"ticker", "per", "date", "time", "openint"})),
    ("Dukascopy", frozenset({"gmttime", "open", "close", "volume"})),
    ("Dukascopy", frozenset({"localtime", "open", "close", "volume"})),
    ("Investing.com", frozenset({"date", "price", "open", "change"})),
    ("Nasdaq.com", frozenset({"date", "closelast", "volume"})),
    ("Barchart", frozenset({"time", "last", "change", "chg"})),
    ("Bloomberg", frozenset({"pxopen", "pxhigh", "pxlow", "pxlast"})),
    ("FXCM candles", frozenset({"bidopen", "bidclose", "askopen", "askclose", "tickqty"})),
    ("CoinAPI OHLCV", frozenset({"timeperiodstart", "priceopen", "tradescount"})),
    ("Kaggle Bitcoin history", frozenset({"timestamp", "volume", "weightedprice"})),
)
"""Vendors that are recognized by their header; all their columns are found by name like any other."""

APART = frozenset({
    "interval", "timeframe", "resolution", "granularity", "barsize", "per", "exchange", "venue", "expiry", "expiration",
    "expirationdate", "strike", "optiontype", "putcall",
})  # fmt: skip
"""Names of columns that tell series apart: bars of several of their values in turn are not those of one series."""

_VOLUME_OF = re.compile(r"volume[a-z]{2,5}")


def compact(title: str) -> str:
    """Return a title as it is compared: `1. open`, `<OPEN>`, ` Open ` and `open (USD)` are all `open`."""
    text = re.sub(r"\([^)]*\)", " ", title.strip().lower())
    text = re.sub(r"^\W*\d+[a-z]?\.\s*", "", text)
    text = re.sub(r"[\W_]+", "", text)
    return re.sub(r"^price(open|high|low|close)$", r"\1", text)


def find_columns(titles: Sequence[str]) -> dict[str, list[int]]:
    """Return the indices of the columns of each meaning: all that bear the most telling name that occurs."""
    indices: dict[str, list[int]] = {}
    for index, title in enumerate(titles):
        if title.strip() or index == 0:  # only the first column, an index, may have no title
            indices.setdefault(compact(title), []).append(index)
    found = {}
    for meaning, names in NAMES.items():
        name = next((name for name in names if name in indices), None)
        if name is not None:
            found[meaning] = indices[name]
    if "volume" not in found:
        of_currency = [index for index, title in enumerate(titles) if _VOLUME_OF.fullmatch(compact(title))]
        if of_currency:
            found["volume"] = of_currency[:1]  # CryptoDataDownload: that of the base currency comes first
    if not found.keys() & set(PRICES) and set(ADJUSTED_PRICES) <= found.keys():
        for price, adjusted in zip(PRICES, ADJUSTED_PRICES, strict=True):
            found[price] = found.pop(adjusted)
    return found


def has_prices(found: Mapping[str, object]) -> bool:
    """Whether a header has open, high, low and close, or both sides of each."""
    return set(PRICES) <= found.keys() or set(QUOTES) <= found.keys()


def vendor(titles: Sequence[str]) -> str:
    """Return the name of the vendor whose header this is, or an empty text."""
    names = {compact(title) for title in titles}
    return next((name for name, header in VENDORS if header <= names), "")
