"""`python -m tests.local.first_deployment`: run docs/first-deployment.md and write what its commands print into it.

The page is run from an emulator without any stack to one without any stack again. A screen is the fence of `text` after
`<!-- screen -->`; what differs each time (ids, times, durations) is replaced by `…`.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import LocalCloud, environment
from local.emulator import ROOT_KEYS
from local.layout import ROOT, Layout
from tests.local.doc_commands import Block, blocks_of, outputs_of

PAGE = ROOT / "docs" / "first-deployment.md"
TIMEOUT_SECONDS = 900
_SCREEN = re.compile(r"<!-- screen -->\n```text\n.*?```\n", re.DOTALL)
_LINES = 14
_IS_NEWS = re.compile(
    r"^(?!.*( \| |%|\[\d|current credentials|notices|MiB|Bundling|Successfully synth|IN_PROGRESS))"
    r".*(✅|Deployment time|bootstrapped|Environment aws|destroyed|error|failed)",
    re.IGNORECASE,
)
_VOLATILE = (
    (re.compile(r"\d\d:\d\d:\d\d( [AP]M)?"), "…"),
    (re.compile(r"\d+(\.\d+)?s\b"), "…s"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"), "…"),
    (re.compile(r"\b\d{12}\b"), "…"),
    (re.compile(r"\b\d\.\d{3}\b"), "…"),
    (re.compile(r"\b\d+%"), "…%"),
    (re.compile(r"^\d+$"), "…"),
)


@contextmanager
def empty_cloud(folder: Path) -> Iterator[LocalCloud]:
    """A local cloud into which nothing has been deployed."""
    cloud = LocalCloud(Layout(state=folder / "state")).start()
    try:
        yield cloud
    finally:
        cloud.stop()


def run_page(cloud: LocalCloud, folder: Path) -> list[tuple[Block, str]]:
    """Run every command of the page that runs locally, in its order; returns each block with what it printed."""
    blocks = [block for block in blocks_of(PAGE) if block.runs_locally]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = environment.of_clients(cloud.endpoint_url, **cloud.layout.remembered()["keys"])
    variables |= {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", "CDK_DISABLE_CLI_TELEMETRY": "true"}
    printed = outputs_of(
        blocks,
        preamble=_preamble(cloud, folder),
        environment=variables,
        folder=folder,
        timeout_seconds=TIMEOUT_SECONDS,
    )
    return list(zip(blocks, printed, strict=True))


def _preamble(cloud: LocalCloud, folder: Path) -> str:
    """The functions by which the page's commands reach the local cloud: what the page names as different."""
    settings = f"-c profile=local -c redis_endpoint={cloud.redis_endpoint} -c keep_data=true"
    quiet = "--no-notices --no-version-reporting --no-color --ci --progress=events"
    keys = f"AWS_ACCESS_KEY_ID={ROOT_KEYS['access_key']} AWS_SECRET_ACCESS_KEY={ROOT_KEYS['secret_key']}"
    return f"""
aws() {{ command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }}
make() {{
  local arguments="${{2#ARGS=}}" verb
  verb="${{arguments%% *}}"
  case "$verb" in
    bootstrap) arguments="bootstrap aws://{environment.ACCOUNT}/{environment.REGION}" ;;
    deploy) arguments="$arguments --method=direct --require-approval=never --concurrency=4" ;;
  esac
  (cd {ROOT} && {keys} python -m local.cdk $arguments {settings} --output {folder}/cdk.out {quiet} 2>&1)
}}
"""


def screen_of(printed: str) -> str:
    """What a reader needs to see of an output: without what differs each time, and of CDK the results only."""
    lines = [line.rstrip() for line in printed.splitlines() if line.strip()]
    if any("IN_PROGRESS" in line or "Bootstrapping" in line or "destroying" in line for line in lines):
        lines = sorted(line for line in lines if _IS_NEWS.search(line))  # stacks are deployed at once
    for pattern, text in _VOLATILE:
        lines = [pattern.sub(text, line) for line in lines]
    shown = list(dict.fromkeys(line.strip() for line in lines))
    return "\n".join(shown[:_LINES])


def screens(blocks: list[tuple[Block, str]]) -> Iterator[str]:
    """The screen of each block that the page shows one of, in order."""
    page = PAGE.read_text(encoding="utf-8")
    for number, part in enumerate(_SCREEN.split(page)[:-1]):
        commands = re.findall(r"^```(?:sh|python)(?! aws-only)[^\n]*\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
        last = commands[-1]
        (found,) = [printed for block, printed in blocks if last in block.commands]
        text = screen_of(found)
        if not text:
            raise ValueError(f"screen {number + 1} of {PAGE.name} is empty:\n{last}\n{found}")
        yield text


def main() -> None:
    """Run the page in a local cloud of its own and write the screens."""
    with tempfile.TemporaryDirectory() as folder:
        with empty_cloud(Path(folder)) as cloud:
            found = iter(list(screens(run_page(cloud, Path(folder)))))
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(
            _SCREEN.sub(lambda _: f"<!-- screen -->\n```text\n{next(found)}\n```\n", page), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
