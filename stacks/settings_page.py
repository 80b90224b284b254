"""`python -m stacks.settings_page docs/settings.md`: write the page of all settings from `DeployConfig`."""

import sys
from pathlib import Path
from typing import Any

from stacks.config import DeployConfig
from stacks.environments import DEV

_HEAD = """# Settings

Written by `make settings` from [stacks/config.py](../stacks/config.py); a test compares them.

A setting is a key of the CDK context: `make cdk ARGS="deploy --all -c prefix=desk -c environment=dev"`, or a line under
`"context"` in cdk.json. An unknown or invalid setting is refused with a message that says what to write instead.
`environment` only changes the defaults of other settings; explicit settings win. Several stages can share an account,
each with its own `prefix`.

| setting | default in prod | default in dev | description |
| --- | --- | --- | --- |
"""


def settings_page() -> str:
    """The page as Markdown."""
    named = {name: field for name, field in sorted(DeployConfig.model_fields.items()) if name != "environment"}
    rows = [
        f"| `{name}` | {_shown(one.default)} | {_shown(DEV.get(name, one.default))} | {_sentence(one.description)} |"
        for name, one in named.items()
    ]
    environment = DeployConfig.model_fields["environment"].description
    first = f"| `environment` | `prod` | `dev` | {_sentence(environment)} |"
    return _HEAD + "\n".join([first, *rows]) + "\n"


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _sentence(text: str | None) -> str:
    text = text or ""
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(settings_page(), encoding="utf-8")
