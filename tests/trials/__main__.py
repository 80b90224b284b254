"""`python -m tests.trials`: runs the trials in a local cloud of its own, and writes docs/trials.md."""

import logging
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local import LocalCloud
from local.layout import Layout
from tests.trials.cache_outage import lose_the_cache
from tests.trials.faults import send_through_faults
from tests.trials.kills import kill_buffered_loggers, kill_hunters, kill_nightly_jobs
from tests.trials.load import load_the_api
from tests.trials.races import race_for_a_limit, race_for_ids, race_for_versions
from tests.trials.requests import send_requests
from tests.trials.results import line, page
from tests.trials.tampering import tamper

PAGE = Path(__file__).parents[2] / "docs" / "trials.md"
HEADER = """# Trials

`make trials` runs these trials at this size in a local cloud of its own and writes this page; the tests run them at a
small size. Tried are records, calls or changes; survived are those that ended as they should: stored once and
unchanged, refused with an error, answered as documented, or, if the archive was changed, found by verification. It
ends with an error if anything was lost, doubled or not survived.

"""


def trials(cloud, folder):
    """The trials, by name."""
    return {
        "tampering": partial(tamper, changes=1_000),
        "requests": partial(send_requests, cases=5_000),
        "kills": partial(kill_buffered_loggers, cloud, folder, kills=200, decisions=2_000),
        "faults": partial(kill_buffered_loggers, cloud, folder, kills=60, decisions=400, faults=0.3),
        "http-faults": partial(send_through_faults, cloud, folder, decisions=600),
        "hunter": partial(kill_hunters, cloud, kills=200, cycles=500),
        "nightly": partial(kill_nightly_jobs, cloud, kills=200),
        "ids": partial(race_for_ids, cloud, ids=60),
        "versions": partial(race_for_versions, cloud, versions=30),
        "limit": partial(race_for_a_limit, cloud, limit=50),
        "cache": partial(lose_the_cache, cloud, outages=4, seconds=1.5),
        "load": partial(load_the_api, cloud, agents=10, batches=10),
    }


def run(
    only: Annotated[list[str] | None, typer.Option(help="Run only this trial; writes no page")] = None,
    output: Annotated[Path, typer.Option(help="The page to write")] = PAGE,
) -> None:
    """Run the trials and write their page."""
    console = Console()
    logging.getLogger("agent_memory").setLevel(logging.ERROR)  # the cache's outages are meant
    if shutil.which("redis-server") is None and shutil.which("valkey-server") is None:
        raise typer.BadParameter("the trial of the cache needs redis-server or valkey-server")
    results = []
    with tempfile.TemporaryDirectory() as name, LocalCloud(Layout(state=Path(name) / "state")) as cloud:
        selected = trials(cloud, Path(name))
        unknown = set(only or ()) - selected.keys()
        if unknown:
            raise typer.BadParameter(f"no such trial: {', '.join(unknown)}; there are {', '.join(selected)}")
        for trial_name, trial in selected.items():
            if only and trial_name not in only:
                continue
            result = trial()
            results.append(result)
            console.print(line(result), soft_wrap=True)
    if not only:
        output.write_text(HEADER + page(results), encoding="utf-8")
        console.print(str(output))
    if not all(result.passed for result in results):
        sys.exit(1)


if __name__ == "__main__":
    typer.run(run)
