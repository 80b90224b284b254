"""The items of links from a decision's ancestors to it.

The links from one ancestor to decisions that are logged together share an item, because DynamoDB charges for each item
a started kilobyte of writing, and 100 bytes of storage on top. The oldest descendant gives the item its sort key; the
others are in the attribute `more`, as `steps#id#type`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from agent_memory.core import keys
from agent_memory.core.concurrency import chunks
from agent_memory.core.ids import timestamp_of
from agent_memory.core.retention import EXPIRE_AFTER_DAYS, expires_ms
from agent_memory.model.decisions import DecisionKey
from agent_memory.ports.decisions import Link
from agent_memory.storage.dynamodb.items import Item, text

MORE = "more"
_LINKS_PER_ITEM = 100  # some 6 KB
_DIGEST_CHARACTERS = 16


def link_items(links: Iterable[Link], now_ms: int) -> Iterator[Item]:
    """The items of links that are written together, one for each ancestor and at most a hundred descendants.

    An item expires with the archive of its newest descendant.
    """
    by_ancestor: dict[tuple[str, str], dict[str, Link]] = defaultdict(dict)
    for link in links:
        by_ancestor[link.descendant.agent_id, link.ancestor_id][link.descendant.decision_id] = link
    for found in by_ancestor.values():
        for together in chunks(sorted(found.values(), key=sort_key), _LINKS_PER_ITEM):
            yield _item(together, now_ms)


def links_from(agent_id: str, ancestor_id: str, item: Item) -> list[Link]:
    """The links of an item, the oldest descendant first.

    Raises:
        KeyError, TypeError, ValueError: the item is not one of links.
    """
    first_id = item["sk"]["S"].split("#")[1]
    entries = [(item["steps"]["N"], first_id, item["decision_type"]["S"])]
    for one in item[MORE]["L"] if MORE in item else ():
        steps, decision_id, decision_type = one["S"].split("#")
        entries.append((steps, decision_id, decision_type))
    return [
        Link(ancestor_id, int(steps), DecisionKey(agent_id, decision_type, timestamp_of(decision_id), decision_id))
        for steps, decision_id, decision_type in entries
    ]


def sort_key(link: Link) -> str:
    """What orders links: the time of the descendant, then its id."""
    return keys.decision_sk(link.descendant.timestamp_ms, link.descendant.decision_id)


def _item(together: Sequence[Link], now_ms: int) -> Item:
    first, *others = together
    more = [f"{one.steps}#{one.descendant.decision_id}#{one.descendant.decision_type}" for one in others]
    at_ms = expires_ms(together[-1].descendant.timestamp_ms, EXPIRE_AFTER_DAYS, now_ms)
    item = {
        "pk": text(keys.link_pk(first.descendant.agent_id, first.ancestor_id)),
        "sk": text(sort_key(first)),
        "decision_type": text(first.descendant.decision_type),
        "steps": {"N": str(first.steps)},
        "ttl": {"N": str(at_ms // 1000)},
    }
    if not more:
        return item
    # Nothing is overwritten: the same first descendant with others, as after a retry in another batch, is another key.
    digest = hashlib.sha256("\n".join(more).encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return {**item, "sk": text(f"{sort_key(first)}#{digest}"), MORE: {"L": [text(one) for one in more]}}
