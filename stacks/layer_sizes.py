"""`python -m stacks.layer_sizes`: megabytes of each function's layers in AWS, unzipped."""

from collections.abc import Iterable
from pathlib import Path

from stacks.config import DeployConfig
from stacks.constructs.function_layers import WHEEL_CACHE, compiled_package, lock_file, wheel_target
from stacks.constructs.wheels import build_wheels
from stacks.function_contents import CONTENTS, WHEEL_GROUPS

_MEGABYTE = 2**20


def layer_bytes() -> dict[str, dict[str, int]]:
    """Bytes of each layer by function and layer; the wheels are fetched and unpacked where they are not yet."""
    target = wheel_target(DeployConfig())
    packages = {name: compiled_package(contents.packages, target.python) for name, contents in CONTENTS.items()}
    wheels = {group: _bytes(build_wheels(lock_file(group), target, WHEEL_CACHE).rglob("*")) for group in WHEEL_GROUPS}
    return {
        name: {"agent_memory": _bytes(packages[name].rglob("*")), **{group: wheels[group] for group in contents.wheels}}
        for name, contents in CONTENTS.items()
    }


def table(sizes: dict[str, dict[str, int]]) -> str:
    """The sizes as text, a line for each function."""
    columns = ("agent_memory", *WHEEL_GROUPS, "total")
    lines = [" ".join(f"{cell:>13}" for cell in ("MB", *columns))]
    for name, layers in sizes.items():
        cells = {**layers, "total": sum(layers.values())}
        numbers = (f"{cells[column] / _MEGABYTE:.1f}" if column in cells else "" for column in columns)
        lines.append(" ".join(f"{cell:>13}" for cell in (name, *numbers)))
    return "\n".join(lines)


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


if __name__ == "__main__":
    print(table(layer_bytes()))
