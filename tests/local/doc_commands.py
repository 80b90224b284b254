"""Runs the fenced commands of a page, as a reader would.

A fence says where its commands run: `sh` everywhere, `sh local-only` and `sh aws-only` in one place only; `python` is a
program. A fence of `text` after such a block has lines of its output, each of which must occur; `…` is any text.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

_FENCE = re.compile(r"^( *)```(\S+)?([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_BOUNDARY = "---- the next block ----"


@dataclass
class Block:
    """One block of commands, and the lines that its output must contain."""

    commands: str
    marks: frozenset[str]
    expected: list[str] = field(default_factory=list)

    @property
    def runs_locally(self) -> bool:
        return "aws-only" not in self.marks


def blocks_of(page: Path) -> list[Block]:
    """The page's blocks of commands in order."""
    blocks: list[Block] = []
    for _indent, language, marks, text in _FENCE.findall(page.read_text()):
        if language == "sh":
            blocks.append(Block(dedent(text), frozenset(marks.split())))
        elif language == "python":
            blocks.append(Block(f"python - <<'PROGRAM'\n{dedent(text)}PROGRAM\n", frozenset(marks.split())))
        elif language == "text":
            blocks[-1].expected.extend(line.strip() for line in text.splitlines() if line.strip())
    return blocks


def run(blocks: Sequence[Block], *, preamble: str, environment: Mapping[str, str], folder: Path) -> None:
    """Run blocks in one shell, which stops at the first command that fails, and check the output of each."""
    for block, output in zip(
        blocks, outputs_of(blocks, preamble=preamble, environment=environment, folder=folder), strict=True
    ):
        check_output(block, output)


def outputs_of(
    blocks: Sequence[Block],
    *,
    preamble: str,
    environment: Mapping[str, str],
    folder: Path,
    timeout_seconds: float = 600,  # a nightly job goes through all agents that tests have left in the local cloud
) -> list[str]:
    """Run blocks in one shell, which stops at the first command that fails; returns what each printed."""
    script = "\n".join(["set -euo pipefail", preamble, *(f"echo '{_BOUNDARY}'\n{one.commands}" for one in blocks)])
    ended = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    written = ended.stdout.split(f"{_BOUNDARY}\n")[1:]
    last = blocks[len(written) - 1].commands if written else "the preamble"
    assert ended.returncode == 0, f"exit code {ended.returncode} in:\n{last}\n{ended.stderr}\n{written[-1:]}"
    return written


def check_output(block: Block, output: str) -> None:
    """Check that each line that a page shows of a block's output occurs in it; `…` is any text."""
    found = " ".join(output.split())
    for line in block.expected:
        pattern = ".*".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        assert re.search(pattern, found), f"{line!r} is not in the output of:\n{block.commands}\n{output}"
