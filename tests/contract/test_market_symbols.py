"""Symbols as markets write them are names, on every store and over HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import DecisionLogger, InvalidInput, MemoryManager
from agent_memory.api import deployment as api
from agent_memory.api.deployment import Deployment
from agent_memory.core import ids
from agent_memory.core.clock import FixedClock, SystemClock
from agent_memory.core.keys import performance_name, stm_key
from agent_memory.storage.factory import in_memory_stores
from tests.http_events import call_routes, client_with

SYMBOLS = [
    *(
        "BTC/USDT",
        "^GSPC",
        "BRK.B",
        "BRK-B",
        "ES=F",
        "EUR/USD:USD",
        "btc-usdt@binance",
        "BTC/USDT:USDT-251226-100000-C",
    ),
    *("/ES", ".SPX", "$BTC", "@ES", "M&M.NS", "ES1!", "NASDAQ:AAPL", "0700.HK", "EURUSD=X", "a+b", "trend=up"),
]
REFUSED = [
    "",
    "a b",
    "a#b",
    "a*",
    "a?",
    "a[b]",
    "a%2Fb",
    "a~b",
    "a\\b",
    "a{b}",
    "交易",
    "a\n",
    ".",
    "..",
    "a" * 256,
    5,
    None,
]


def check_symbols(memory, log):
    for symbol in SYMBOLS:
        assert memory.store_ltm("PATTERN", symbol, {"symbol": symbol, "confidence": 0.5})["pattern_id"] == symbol
        assert memory.update_ltm_confidence(symbol, 0.6)["version"] == 2
        assert len(memory.get_ltm_history("PATTERN", symbol)) == 2
        assert memory.store_stm(symbol, {"symbol": symbol})
        assert memory.retrieve_stm(symbol) == {"symbol": symbol}
        assert memory.consolidate_to_ltm(symbol, "STRATEGY")["pattern_id"] == symbol
        assert memory.check_rate_limit(symbol, 1)["allowed"]
        assert not memory.check_rate_limit(symbol, 1)["allowed"]
        memory.save_state({"symbol": symbol})
        memory.create_checkpoint(symbol)
        assert memory.restore_checkpoint(symbol)["data"] == {"symbol": symbol}
        log.log_decision("QUERY", {"symbol": symbol, "market": {symbol: symbol}}, {}, memory_ids=[symbol])
        assert len(log.query_decisions(context_filter={symbol: symbol})) == 1
        assert memory.clear_stm(symbol) == 1
    assert {one["name"] for one in memory.list_checkpoints()} == set(SYMBOLS)
    assert {one["pattern_id"] for one in memory.retrieve_ltm("PATTERN")} == set(SYMBOLS)
    figures = {source: {market: {"of": [source, market]} for market in SYMBOLS} for source in SYMBOLS}
    memory.write_cycle(performance=figures)
    asked = dict.fromkeys(SYMBOLS, SYMBOLS)
    assert memory.read_cycle(performance=asked)["performance"] == figures


def test_symbols_are_names(stores, clock):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    check_symbols(memory, DecisionLogger("hunter", stores=stores, clock=clock).sync)


def test_symbols_are_names_over_http(monkeypatch):
    deployment = Deployment(in_memory_stores(FixedClock(SystemClock().now_ms())))
    monkeypatch.setattr(api, "deployment", lambda: deployment)
    paths = []

    def handle(request):
        paths.append(request.url.raw_path.decode().partition("?")[0])
        return call_routes(request)

    client = client_with(handle).sync
    check_symbols(client, client)
    # A name is one segment of a path: neither a slash nor an encoded one, which IAM and proxies may take for a slash.
    assert all("%2F" not in path.upper() and ".." not in path and "//" not in path for path in paths)
    assert {path.count("/") for path in paths if "/memory/stm/" in path} == {6}


@pytest.mark.parametrize("name", REFUSED)
def test_other_names_are_refused_by_their_argument(stores, clock, name):
    memory = MemoryManager("hunter", stores=stores, clock=clock).sync
    log = DecisionLogger("hunter", stores=stores, clock=clock).sync
    for argument, call in (
        ("pattern_id", lambda: memory.store_ltm("PATTERN", name, {})),
        ("pattern_id", lambda: memory.update_ltm_confidence(name, 0.5)),
        ("key", lambda: memory.store_stm(name, 1)),
        ("stm_key", lambda: memory.consolidate_to_ltm(name)),
        ("source_id", lambda: memory.check_rate_limit(name, 1)),
        ("name", lambda: memory.create_checkpoint(name)),
        ("/memory_ids/0", lambda: log.log_decision("QUERY", {}, {}, memory_ids=[name])),
        ("performance", lambda: memory.write_cycle(performance={name: {"up": {}}})),
        ("performance", lambda: memory.write_cycle(performance={"whales": {name: {}}})),
        ("performance", lambda: memory.read_cycle(performance={"whales": [name]})),
    ):
        with pytest.raises(InvalidInput) as caught:
            call()
        field = caught.value.field
        assert field == argument or field.lstrip("/").startswith(argument) or argument == "/memory_ids/0", argument
        assert "memory_ids" in field or argument != "/memory_ids/0"


names = st.text("AZaz09._=+:/^@$&!|-", min_size=1, max_size=6)


@given(names, names, names, names)
def test_different_sources_and_markets_have_different_keys(source, market, other_source, other_market):
    is_same = (source, market) == (other_source, other_market)
    assert (performance_name(source, market) == performance_name(other_source, other_market)) == is_same


@given(names)
def test_a_name_is_read_back_from_a_path(name):
    assert ids.name_in_path(ids.path_name(name)) == name
    assert "/" not in ids.path_name(name)


@pytest.mark.parametrize("source", ["whales", "binance:whales", "a.b"])
@pytest.mark.parametrize("market", ["bullish", "trend=up|volume=low"])
def test_names_that_were_valid_before_keep_their_keys(source, market):
    assert stm_key("hunter", performance_name(source, market)) == f"stm:{{hunter}}:performance:{source}:{market}"
