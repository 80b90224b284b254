"""Objects that are made the fast way are those of the dataclass."""

import copy
from dataclasses import FrozenInstanceError, dataclass, fields, replace

import pytest

from agent_memory.core.constructors import constructor_of
from agent_memory.model.decisions import Decision, Outcome
from agent_memory.model.memories import Memory


@pytest.mark.parametrize("cls", [Decision, Memory, Outcome])
def test_an_object_is_as_one_of_the_class(cls):
    values = [f"value of {one.name}" for one in fields(cls)]
    made, expected = constructor_of(cls)(*values), cls(*values)
    assert type(made) is cls
    assert (made, repr(made), hash(made)) == (expected, repr(expected), hash(expected))
    assert copy.copy(made) == replace(made) == expected
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(cls)[0].name, "another")


def test_all_values_are_required():
    with pytest.raises(TypeError):
        constructor_of(Outcome)(True, {}, {}, 1)


@dataclass(frozen=True)
class WithoutSlots:
    value: int


@dataclass(frozen=True, slots=True)
class WithCheck:
    value: int

    def __post_init__(self) -> None:
        """Not called by the fast way."""


@dataclass(frozen=True, slots=True)
class WithBase(WithCheck):
    more: int


@pytest.mark.parametrize("cls", [WithoutSlots, WithCheck, WithBase])
def test_other_classes_are_refused(cls):
    with pytest.raises(TypeError, match=cls.__name__):
        constructor_of(cls)
