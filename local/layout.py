"""Where the local cloud keeps its files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one local cloud: `root` holds the locks of its tools; a reset deletes `state`."""

    root: Path = ROOT
    state: Path = ROOT / ".local" / "state"

    @property
    def packages(self) -> Path:
        """Where virtual environments of the emulator stand; they survive a reset."""
        return self.root / ".local"

    @property
    def lock(self) -> Path:
        """Held by the one process that starts, deploys to or stops this cloud. Outside of what a reset deletes."""
        return self.state.with_name(f"{self.state.name}.lock")

    @property
    def memory(self) -> Path:
        """Ports and credentials of the last run."""
        return self.state / "cloud.json"

    @property
    def assembly(self) -> Path:
        """The synthesized stacks: templates and assets."""
        return self.state / "assembly"

    @property
    def scratch(self) -> Path:
        """Home of the child processes, so that nothing of theirs lands in the user's."""
        return self.state / "home"

    @property
    def temporary(self) -> Path:
        """Temporary files of the child processes, function code among them."""
        return self.state / "tmp"

    def log(self, name: str) -> Path:
        """Log file of a service or a tool."""
        return self.state / "logs" / f"{name}.log"

    def record(self, name: str) -> Path:
        """File that a running service keeps locked."""
        return self.state / f"{name}.pid"

    def create(self) -> None:
        """Make the folders that are missing; only the user may look into them, since they hold access keys."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.scratch, self.temporary, self.state / "logs"):
            folder.mkdir(exist_ok=True)

    def remembered(self) -> dict[str, Any]:
        """What `remember` saved last, or nothing."""
        try:
            saved: dict[str, Any] = json.loads(self.memory.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return saved

    def remember(self, **values: Any) -> None:  # JSON values
        """Save values beside those already saved; a file is never left half written."""
        text = json.dumps(self.remembered() | values, indent=2)
        draft = self.memory.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.memory)
