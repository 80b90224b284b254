"""The difference between two versions of an item as an update expression."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent_memory.storage.dynamodb.items import Item


@dataclass(frozen=True, slots=True)
class Update:
    """An update expression with its names and values."""

    expression: str
    names: dict[str, str]
    values: Item


def replacement(item: Item, *, key: Sequence[str], optional: Sequence[str]) -> Update:
    """What makes an item this one, whatever else beside its `key` stays: sets all, removes the `optional` it lacks."""
    new = {name: value for name, value in item.items() if name not in key}
    lacked: Item = {name: {} for name in optional if name not in item}
    return changes(lacked, new)


def changes(before: Item, after: Item) -> Update:
    """What turns `before` into `after`: sets what is new or other, removes what is gone."""
    new = [name for name in after if after[name] != before.get(name)]
    gone = [name for name in before if name not in after]
    names = {f"#n{place}": name for place, name in enumerate([*new, *gone])}
    tokens = {name: token for token, name in names.items()}
    values = {f":v{place}": after[name] for place, name in enumerate(new)}
    parts = []
    if new:
        parts.append("SET " + ", ".join(f"{tokens[name]} = :v{place}" for place, name in enumerate(new)))
    if gone:
        parts.append("REMOVE " + ", ".join(tokens[name] for name in gone))
    return Update(" ".join(parts), names, values)
