"""A pattern's id for machines and its sentence for people."""

import hashlib
import re
from collections.abc import Sequence

from agent_memory.learning.comparison import Comparison
from agent_memory.learning.evidence import SOURCE, key_of, value_of

MAX_ID_CHARACTERS = 200
_HASH_CHARACTERS = 12
_MARKET_PREFIX = "context.market."
_MARKET = "context.market"
_HOURS = "context.trading_hours"
_SYMBOL = "context.symbol"
# Keys whose value is an adjective by itself: "bullish", not "bullish-trend".
_ADJECTIVE_KEYS = frozenset({"trend", "condition", "regime", "sentiment"})


def pattern_id_of(decision_type: str, features: Sequence[str]) -> str:
    """Return the id of a combination: `source_selection+context.market.volatility=high+source=derivatives`.

    Only `[a-z0-9._=+-]`, at most 200 characters. If that notation loses information (capitals, other characters,
    length), the id ends in a hash of the full text, so that two combinations never share an id. A decision type that is
    all capitals is the convention and loses nothing.
    """
    ordered = sorted(features)
    exact = "\n".join([decision_type, *ordered])
    parts = [decision_type.lower() if decision_type == decision_type.upper() else decision_type, *ordered]
    written = [re.sub(r"[^a-z0-9._=-]", "-", part.lower()) for part in parts]
    name = "+".join(written)
    if written == parts and len(name) <= MAX_ID_CHARACTERS:
        return name
    digest = hashlib.sha256(exact.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{name[: MAX_ID_CHARACTERS - _HASH_CHARACTERS - 1]}-{digest}"


def description_of(decision_type: str, features: Sequence[str], overall: Comparison) -> str:
    """Describe a pattern in one sentence.

    "Derivatives chosen in bullish, high-volatility markets: 71% of 140 succeeded, against 55% otherwise".
    """
    matching, rest = overall.matching, overall.rest
    rates = f"{_percent(matching.rate)} of {matching.occurrences:,} succeeded, against {_percent(rest.rate)} otherwise"
    return f"{condition_of(decision_type, features)}: {rates}"


def condition_of(decision_type: str, features: Sequence[str]) -> str:
    """Describe when a pattern applies: "Derivatives chosen in bullish, high-volatility markets"."""
    sources = [_words(value_of(feature)) for feature in features if key_of(feature) == SOURCE]
    market = sorted(
        (feature for feature in features if key_of(feature).startswith(_MARKET_PREFIX)), key=_adjective_order
    )
    others = [feature for feature in features if key_of(feature) != SOURCE and feature not in market]

    kind = _words(decision_type.lower())
    chosen = f"{' and '.join(sources)} chosen" if sources else ""
    if chosen and decision_type == "SOURCE_SELECTION":
        parts = [chosen]
    elif chosen:
        parts = [f"{kind} with {chosen}"]
    else:
        parts = [kind]
    if market:
        parts.append(f"in {', '.join(_adjective(feature) for feature in market)} markets")
    phrases = [_phrase(feature) for feature in others]
    text = " ".join(parts)
    if phrases:
        text = f"{text} {' and '.join(phrases)}"
    return text[:1].upper() + text[1:]


def market_of(features: Sequence[str]) -> str:
    """Describe a market condition: "Bullish, high-volatility markets"."""
    names = [_adjective(feature) for feature in sorted(features, key=_adjective_order)]
    text = f"{', '.join(names)} markets"
    return text[:1].upper() + text[1:]


def _adjective_order(feature: str) -> tuple[bool, str]:
    """Sort plain adjectives first: "bullish, high-volatility"."""
    return (not _is_adjective(feature), feature)


def _is_adjective(feature: str) -> bool:
    return key_of(feature).removeprefix(_MARKET_PREFIX) in _ADJECTIVE_KEYS or key_of(feature) == _MARKET


def _adjective(feature: str) -> str:
    value, name = _words(value_of(feature)), _words(key_of(feature).removeprefix(_MARKET_PREFIX))
    if value in ("true", "false", "null"):
        return f"{name} = {value}"
    return value if _is_adjective(feature) else f"{value}-{name}"


def _phrase(feature: str) -> str:
    key, value = key_of(feature), value_of(feature)
    if key == _HOURS:
        return f"in {_words(value).capitalize()} hours"
    if key == _SYMBOL:
        return f"on {value}"
    name = _words(key.rpartition(".")[2])
    if value in ("true", "false"):
        return f"{'with' if value == 'true' else 'without'} {name}"
    if value == "null":
        return f"with no {name}"
    return f"with {name} {_words(value)}"


def _words(name: str) -> str:
    """Split `whaleMovements` and `range_expansion` into words; leave `AAPL` as it is."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])(?=[a-z])", lambda m: f" {m[1].lower()}", name).replace("_", " ")


def _percent(rate: float) -> str:
    return f"{rate * 100:.0f}%"
