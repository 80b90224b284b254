"""Runs MiniStack with three patches. This script is started in the emulator's own environment.

MiniStack parses an expression again for each item that it evaluates it on. Its parsers are pure functions of the
expression's text, so their results are cached here: a Query then takes a quarter of the time.

When a change set imports an existing bucket into a stack (`ImportExistingResources`), MiniStack's validation of names
refuses the bucket because it exists: this validation is switched off for imports.

The process ends as soon as its state is written: threads of executions that are still under way would otherwise keep it
alive for as long as their retries last.
"""

import os
import runpy
import sys
from functools import lru_cache
from typing import Any

from ministack.services import cloudformation, dynamodb  # type: ignore[import-not-found]  # in the emulator's environment
from ministack.services.cloudformation import changesets  # type: ignore[import-not-found]

for name in ("_tokenize", "_condition_syntax_error"):
    parser = getattr(dynamodb, name, None)
    if parser is not None:  # another version may not have this function
        setattr(dynamodb, name, lru_cache(maxsize=1024)(parser))

_deploy = changesets._deploy_stack_async  # noqa: SLF001


def _deploy_with_imports(stack_name: str, *arguments: Any, imports: Any = None, **settings: Any) -> Any:
    if imports:
        cloudformation._stacks[stack_name]["_disable_validation"] = True  # noqa: SLF001
    return _deploy(stack_name, *arguments, imports=imports, **settings)


changesets._deploy_stack_async = _deploy_with_imports  # noqa: SLF001

sys.argv = ["ministack"]
runpy.run_module("ministack", run_name="__main__", alter_sys=True)
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
