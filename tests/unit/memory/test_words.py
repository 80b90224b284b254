"""The words of texts in several scripts and notations."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import MemoryManager
from agent_memory.core.clock import SystemClock
from agent_memory.memory.words import words_of
from agent_memory.storage.factory import in_memory_stores


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("In high volatility: predict pumps.", ["in", "high", "volatility", "predict", "pumps"]),
        ("fundingRate", ["funding", "rate", "fundingrate"]),
        ("PnL DeFi MicroStrategy", ["pn", "l", "pnl", "de", "fi", "defi", "micro", "strategy", "microstrategy"]),
        ("ETFs NFTs, ETFsInflow", ["etf", "nft", "et", "fs", "inflow", "etfsinflow"]),
        ("BTC_USDT a_b_c_d", ["btc", "usdt", "btcusdt", "a", "b", "c", "d"]),
        ("close_BTC-USD_1h risk–off", ["close", "btc", "usd", "btcusd", "1h", "risk", "off", "riskoff"]),
        ("funding_rate-1h", ["funding", "rate", "1h", "rate1h"]),
        ("BTC-USD BRK.B", ["btc", "usd", "btcusd", "brk", "b", "brkb"]),
        ("fell 3.5% of 1,200.50, not 10%", ["fell", "3.5", "3.5%", "of", "1200.50", "not", "10", "10%"]),
        ("हिन्दी", ["हिन्दी"]),
        ("HTTPServer BTC/USDT ^GSPC", ["http", "server", "httpserver", "btc", "usdt", "btcusdt", "gspc"]),
        ("资金费率 rising", ["资金", "金费", "费率", "rising"]),
        ("BTC波动", ["btc", "波动"]),
        ("买入BTC-USD在3.5%了", ["买入", "btc", "usd", "btcusd", "在", "3.5", "3.5%", "了"]),
        ("涨", ["涨"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("ｆｕｌｌ ｗｉｄｔｈ", ["full", "width"]),
        ("", []),
        ("--- !", []),
    ],
)
def test_words(text, words):
    assert words_of(text) == words


@given(st.text(max_size=60))
def test_the_form_of_unicode_does_not_matter(text):
    composed, decomposed = (words_of(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
    assert composed == decomposed


@pytest.mark.parametrize(
    ("query", "lesson"),
    [
        ("volatility", "In high volatility: predict pumps."),
        ("资金费率", "资金费率高时做空"),
        (unicodedata.normalize("NFD", "volatilité"), unicodedata.normalize("NFC", "la volatilité monte")),
        ("funding rate", "fundingRate above 0.01 precedes dumps"),
        ("fundingRate", "a high funding rate precedes dumps"),
        ("pnl", "PnL falls after midnight"),
        ("MicroStrategy", "microstrategy buys at the top"),
        ("ETF", "ETFs gather inflows on Mondays"),
        ("btcusdt", "BTC_USDT wicks at the open"),
        ("BTCUSD", "买入BTC-USD"),
        ("AT&T", "AT&T pays a dividend"),
        ("ON", "ON rallied after earnings"),
        ("is T a buy", "T is cheap before its dividend"),
    ],
)
async def test_a_memory_with_the_words_comes_first(query, lesson):
    memory = MemoryManager("hunter", stores=in_memory_stores(SystemClock()))
    await memory.store_ltm("PATTERN", "with", {"text": lesson, "confidence": 0.5})
    for n in range(3):
        other = {"text": f"unrelated lesson number {n}", "confidence": 0.9}
        await memory.store_ltm("PATTERN", f"other-{n}", other)
    first, *_ = await memory.recall(query)
    assert first["memory"]["pattern_id"] == "with"
