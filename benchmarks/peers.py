"""The same work by other packages, each installed into an environment of its own beside this package."""

import json
import subprocess
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.measurement import Measurement

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = ROOT / ".build" / "peers"
_INSTALLED = "installed"
_TIMEOUT_SECONDS = 1_200
_OURS = "agent-memory"


class CannotMeasure(Exception):
    """Why a peer was left out."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A package to compare with.

    Attributes:
        name: of the package, as in the results.
        requirement: what pip installs.
        module: the benchmark to run in its environment, which prints CPU times as JSON.
        subject: its name in that benchmark.
        operations: what it is compared in.
    """

    name: str
    requirement: str
    module: str
    subject: str
    operations: tuple[str, ...]


_FILE = ("log", "outcome", "get", "query_of_100", "statistics")
PEERS = (
    Peer("LangGraph's SqliteStore", "langgraph-checkpoint-sqlite>=3,<4", "benchmarks.embedded", "langgraph", _FILE),
    Peer("tradememory-protocol", "tradememory-protocol", "benchmarks.embedded", "tradememory", _FILE),
    Peer("mlflow", "mlflow>=3,<4", "benchmarks.embedded", "mlflow", _FILE),
    Peer(
        "langgraph-checkpoint-aws",
        "langgraph-checkpoint-aws>=1.2,<2",
        "benchmarks.dynamodb_peers",
        "langgraph",
        ("log", "outcome", "get", "query_of_100"),
    ),
)


def rows() -> Iterator[Measurement]:
    """CPU time of each operation beside each peer."""
    for peer in PEERS:
        store = "DynamoDB" if peer.module == "benchmarks.dynamodb_peers" else "a file"
        try:
            times = _times(peer)
        except CannotMeasure as error:
            yield Measurement(name=f"on {store}, beside {peer.name}", unit="ms", left_out=str(error))
            continue
        for operation in peer.operations:
            yield Measurement(
                name=f"{operation.replace('_', ' ')} on {store}",
                unit="ms CPU",
                ours=times[_OURS][operation],
                peer=peer.name,
                of_peer=times[peer.subject][operation],
            )


def _times(peer: Peer) -> Mapping[str, Mapping[str, float]]:
    """Milliseconds of CPU time by subject and operation."""
    done = _run([str(_python(peer.requirement)), "-m", peer.module, "--json"])
    times: dict[str, dict[str, float]] = json.loads(done.rpartition("\n")[2])
    if peer.subject not in times:
        raise CannotMeasure(f"{peer.requirement} is installed, and cannot be imported")
    return times


@cache
def _python(requirement: str) -> Path:
    """The interpreter of a peer's environment, which is built unless it is there."""
    folder = ENVIRONMENTS / requirement.split(">", maxsplit=1)[0]
    python = folder / "bin" / "python"
    done = folder / _INSTALLED
    if not done.exists() or done.read_text(encoding="utf-8") != requirement:
        venv.create(folder, clear=True, with_pip=True, symlinks=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[aws]", requirement]
        _run([str(python), *install])
        done.write_text(requirement, encoding="utf-8")
    return python


def _run(command: list[str]) -> str:
    """What a command prints; `CannotMeasure` with its last line of errors."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)  # noqa: S603  our own
    except subprocess.TimeoutExpired:
        raise CannotMeasure(f"not done within {_TIMEOUT_SECONDS} seconds") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise CannotMeasure(lines[-1][:200])
    return done.stdout.strip()
