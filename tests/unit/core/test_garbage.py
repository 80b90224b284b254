"""The search for garbage is enabled after the outermost block, and only where it was enabled before."""

import gc
import os

import pytest

from agent_memory.core.garbage import without_garbage_collection


def test_the_search_is_enabled_after_the_outermost_block():
    assert gc.isenabled()
    with without_garbage_collection():
        with without_garbage_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_search_is_enabled_after_an_error():
    with pytest.raises(KeyError), without_garbage_collection():
        raise KeyError
    assert gc.isenabled()


def test_a_search_that_was_disabled_stays_so():
    gc.disable()
    try:
        with without_garbage_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_search_is_enabled_after_the_last_of_overlapping_blocks():
    first, second = without_garbage_collection(), without_garbage_collection()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_the_search_is_enabled_in_the_child_of_a_fork():
    block = without_garbage_collection()
    block.__enter__()
    child = os.fork()
    if not child:
        is_enabled = gc.isenabled()
        with without_garbage_collection():
            pass
        os._exit(0 if is_enabled and gc.isenabled() else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not gc.isenabled()
    block.__exit__(None, None, None)
    assert gc.isenabled()
