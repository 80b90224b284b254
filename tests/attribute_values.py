"""Hypothesis strategies for attribute values of DynamoDB."""

from hypothesis import strategies as st

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = (
    st.builds(lambda text: {"S": text}, st.text())
    | st.builds(lambda number: {"N": str(number)}, NUMBERS)
    | st.builds(lambda flag: {"BOOL": flag}, st.booleans())
    | st.just({"NULL": True})
    | st.builds(lambda texts: {"SS": texts}, st.lists(st.text(), min_size=1, max_size=3))
)
"""Values without members, but for binary ones, whose form depends on where they stand."""


def items(scalars, names):
    """Items whose values, nested or not, consist of these scalars; maps have these names."""
    values = st.recursive(
        scalars,
        lambda inner: (
            st.builds(lambda members: {"L": members}, st.lists(inner, max_size=3))
            | st.builds(lambda members: {"M": members}, st.dictionaries(names, inner, max_size=3))
        ),
        max_leaves=8,
    )
    return st.dictionaries(names, values, min_size=1, max_size=4)
