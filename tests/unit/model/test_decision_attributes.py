"""Every attribute of a decision's content is a field wherever decisions are declared."""

from dataclasses import fields

from agent_memory.decisions.inputs import DecisionInput
from agent_memory.model.decisions import CONTENT, OPTIONAL, Decision, DecisionDict


def test_every_attribute_is_declared_for_input_output_and_storage():
    names = [one.name for one in fields(Decision)]
    assert set(CONTENT) <= set(names) & set(DecisionInput.__annotations__) & set(DecisionDict.__annotations__)
    assert tuple(names[-len(OPTIONAL) :]) == OPTIONAL
