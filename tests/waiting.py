"""Waiting for what another thread does, however long the machine takes."""

import asyncio


async def until_sending_fails(buffered, attempts=1):
    """Wait until a buffered logger has failed this many times in a row."""
    for _ in range(30_000):
        if buffered.metrics().failed_attempts >= attempts:
            return
        await asyncio.sleep(0.002)
    raise AssertionError("sending did not fail")
