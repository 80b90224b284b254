"""The members that every listing has beside its entries."""

from typing import Annotated

from typing_extensions import TypedDict

from agent_memory.core.fields import Described, strict
from agent_memory.model.listings import MissingItem


@strict
class ListingMembers(TypedDict):
    """Whether a listing is complete, and what it does not contain."""

    complete: Annotated[bool, Described("Whether it contains everything that was asked for")]
    missing: Annotated[list[MissingItem], Described("What it does not contain, with the reason")]
    cursor: Annotated[str | None, Described("Where to continue; null if nothing more can be read")]
