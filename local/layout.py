"""The folders and files of the local cloud."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def saved_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no file or its writing was interrupted."""
    try:
        saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return saved


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one local cloud: `root` is the project, and a reset deletes `state`."""

    root: Path = ROOT
    state: Path = ROOT / ".local" / "state"

    @property
    def packages(self) -> Path:
        """Folder of the emulator's virtual environments; a reset keeps it."""
        return self.root / ".local"

    @property
    def lock(self) -> Path:
        """Lock file of the process that starts, deploys to or stops this cloud; a reset keeps it."""
        return self.state.with_name(f"{self.state.name}.lock")

    @property
    def memory(self) -> Path:
        """Ports and credentials of the last run."""
        return self.state / "cloud.json"

    def log(self, name: str) -> Path:
        """Log file of a service or a tool."""
        return self.state / "logs" / f"{name}.log"

    @property
    def cache_tls(self) -> Path:
        """Certificates, keys and configuration of a cache with TLS."""
        return self.state / "cache-tls"

    @property
    def assembly(self) -> Path:
        """The synthesized stacks: templates and assets."""
        return self.state / "assembly"

    @property
    def scratch(self) -> Path:
        """Home folder of the child processes, so that they write nothing to the user's."""
        return self.state / "home"

    @property
    def temporary(self) -> Path:
        """Temporary files of the child processes, including function code."""
        return self.state / "tmp"

    def record(self, name: str) -> Path:
        """File that is locked while a service runs."""
        return self.state / f"{name}.pid"

    def create(self) -> None:
        """Create missing folders, readable by the user only, since they contain access keys."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.scratch, self.temporary, self.state / "logs"):
            folder.mkdir(exist_ok=True)

    def remembered(self) -> dict[str, Any]:
        """The values that `remember` has saved; empty if there are none."""
        return saved_object(self.memory)

    def remember(self, **values: Any) -> None:  # JSON values
        """Add values to those already saved; the file is replaced atomically."""
        text = json.dumps(self.remembered() | values, indent=2)
        temporary = self.memory.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.memory)
