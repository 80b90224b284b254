"""Update expressions from the difference between two versions of an item."""

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
    """The update that sets the item's attributes, without its key, and removes `optional` ones that it does not have.

    Other attributes of the stored item are not changed.
    """
    new = {name: value for name, value in item.items() if name not in key}
    missing: Item = {name: {} for name in optional if name not in item}
    return changes(missing, new)


def changes(before: Item, after: Item) -> Update:
    """The update that turns `before` into `after`."""
    new = [name for name in after if after[name] != before.get(name)]
    removed = [name for name in before if name not in after]
    names = {f"#n{index}": name for index, name in enumerate([*new, *removed])}
    tokens = {name: token for token, name in names.items()}
    values = {f":v{index}": after[name] for index, name in enumerate(new)}
    parts = []
    if new:
        parts.append("SET " + ", ".join(f"{tokens[name]} = :v{index}" for index, name in enumerate(new)))
    if removed:
        parts.append("REMOVE " + ", ".join(tokens[name] for name in removed))
    return Update(" ".join(parts), names, values)
