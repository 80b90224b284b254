"""The routes do what the document says of them, for what it allows and for what it does not."""

import pytest

from tests import wire


@pytest.mark.slow
def test_document_and_routes_agree():
    found = wire.run(900, seed=7)
    assert found["cases"] >= 900
    assert (found["server_errors"], found["disagreements"]) == (0, 0), found["examples"]
