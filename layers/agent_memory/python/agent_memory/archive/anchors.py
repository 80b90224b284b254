"""Copies of the ends of chains in a bucket of another account, where nobody who rules the archive can change them.

Each nightly job that sealed something adds one, under its number in the chain. Adding needs the permission to write and
to read objects; who may also delete them, or set the bucket's policy, is for that account to decide.
"""

import json
from dataclasses import asdict

from agent_memory.core.errors import Conflict, Damaged
from agent_memory.core.json_values import canonical_json
from agent_memory.core.keys import anchor_key, anchor_prefix
from agent_memory.model.seals import ManifestLink
from agent_memory.ports.blobs import BlobStore


class Anchors:
    """The anchored ends of chains, by agent."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def add(self, agent_id: str, head: ManifestLink) -> None:
        """Add the end of an agent's chain, if it is not there.

        Raises:
            Damaged: another chain was anchored with this number, so that this one was replaced since.
        """
        key, body = anchor_key(agent_id, head.sequence), canonical_json(asdict(head)).encode()
        try:
            self._blobs.replace(key, body, tag=None)
        except Conflict:
            if self._blobs.read(key) != body:
                raise Damaged(
                    f"number {head.sequence} of the chain of {agent_id} is not the one that was anchored as {key}: the "
                    "chain was replaced or rolled back"
                ) from None

    def heads(self, agent_id: str) -> list[ManifestLink]:
        """The anchored ends of an agent's chain, oldest first.

        Raises:
            Damaged: an object is not an anchor.
        """
        heads = []
        for key in self._blobs.list_keys(anchor_prefix(agent_id)):
            try:
                heads.append(ManifestLink.from_json(json.loads(self._blobs.read(key) or b"")))
            except ValueError as error:
                raise Damaged(f"{key} is not an anchor: {error}") from error
        return heads
