"""The wheel holds both packages, installs without an index, and names the extra that a use needs."""

import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import agent_memory
from tests import installs

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(pytest.__file__).parents[1]
BASE_PACKAGES = ("msgspec", "snowballstemmer", "tenacity", "typing_extensions.py")

pytestmark = pytest.mark.slow


def pip(*arguments):
    offline = ["--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments, *offline], check=True)


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what the wheel is built from, as in a fresh clone."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    for package in ("agent_memory", "trading_agents"):
        source = Path("layers", package, "python", package)
        shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    """The wheel, built from the copy, in which the build leaves nothing behind."""
    before = files_of(sources)
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(sources))
    assert files_of(sources) == before
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A virtual environment with the wheel and what it requires without extras."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip("--python", str(python), "install", str(wheel))
    (site_packages,) = folder.glob("lib/python*/site-packages")
    for name in BASE_PACKAGES:
        (site_packages / name).symlink_to(SITE_PACKAGES / name)
    return folder


def run(environment, *command, **variables):
    program, *arguments = command
    return subprocess.run(
        [environment / "bin" / program, *arguments],
        cwd=environment,
        env={"HOME": str(environment), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_all_files_of_both_packages(wheel):
    sources = [ROOT / "layers" / package / "python" for package in ("agent_memory", "trading_agents")]
    expected = {
        path.relative_to(source).as_posix()
        for source in sources
        for path in source.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    packaged = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packaged == expected
    assert {"agent_memory/py.typed", "trading_agents/py.typed"} <= packaged


def test_version_and_licence_are_in_the_metadata(wheel):
    metadata = distribution("agent-memory").metadata
    assert metadata["Version"] == agent_memory.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert wheel.name == f"agent_memory-{agent_memory.__version__}-py3-none-any.whl"


def test_the_base_installation_is_what_the_wheel_requires():
    required = [Requirement(text) for text in distribution("agent-memory").requires]
    names = {one.name.replace("-", "_") for one in required if one.marker is None}
    assert names == {name.removesuffix(".py") for name in BASE_PACKAGES}


def test_stores_in_memory_need_no_extra(environment):
    program = """
import agent_memory.client
from agent_memory import DecisionLogger, MemoryManager, __version__, in_memory_stores

stores = in_memory_stores()
log = DecisionLogger("hunter", stores=stores).sync
memory = MemoryManager("hunter", stores=stores).sync
log.log_outcome(log.log_decision("QUERY", {"market": {"trend": "up"}}, {}), {}, success=True)
memory.store_ltm("PATTERN", "pump", {"text": "volume pumps"})
print(__version__, len(log.query_decisions("QUERY")), len(memory.recall("pump")))
"""
    ended = run(environment, "python", "-W", "error", "-c", program)
    assert (ended.stdout, ended.stderr) == (f"{agent_memory.__version__} 1 2\n", "")


def test_the_command_without_its_extra_names_it_in_one_line(environment):
    ended = run(environment, "agent-memory", "--help")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "agent-memory: typer is not installed: pip install 'agent-memory[cli]'\n"


def test_the_command_runs_with_its_extra(environment):
    ended = run(environment, "agent-memory", "--help", PYTHONPATH=str(SITE_PACKAGES))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {"archive", "nightly", "backtest", "paper", "mcp"} <= set(ended.stdout.split())


@pytest.mark.parametrize(
    ("statement", "extra"),
    [
        ("from agent_memory import AgentMemoryClient", "client"),
        ("from agent_memory import SyncAgentMemoryClient", "client"),
        ("from agent_memory import MemoryAnalytics", "report"),
        ("from agent_memory import AWSMemoryClients", "aws"),
        ("from agent_memory import DecisionLogger; DecisionLogger('hunter', stores='aws://agents')", "aws"),
        ("from agent_memory import MemoryManager; MemoryManager('hunter', stores='aws://agents')", "aws"),
        ("from agent_memory import connect; connect('https://abc.execute-api.us-east-1.amazonaws.com')", "client"),
        ("import trading_agents", "trading"),
    ],
)
def test_what_an_extra_installs_is_named_by_its_error(environment, statement, extra):
    ended = run(environment, "python", "-c", statement)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith(f"is not installed: pip install 'agent-memory[{extra}]'")


def test_every_public_name_but_those_of_extras_can_be_imported(environment):
    program = """
import agent_memory

for name in agent_memory.__all__:
    try:
        getattr(agent_memory, name)
    except ImportError as error:
        print(name, error.name)
"""
    ended = run(environment, "python", "-c", program)
    assert ended.stderr == ""
    assert {line.split()[0] for line in ended.stdout.splitlines()} == {
        "AWSMemoryClients",
        "AgentMemoryClient",
        "MemoryAnalytics",
        "SyncAgentMemoryClient",
    }


def test_each_extra_has_a_use_that_is_checked_where_it_is_installed_alone():
    for extra in installs.extras():
        assert extra in installs.USES or installs.integration_of(extra).is_file(), extra
    assert installs.USES.keys() <= set(installs.extras())
