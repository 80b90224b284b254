"""Runs MiniStack with three of its shortcomings put right: a script of its own.

MiniStack parses an expression anew for each item that it is compared with. Its parsers are pure functions of the
expression's text, so their answers can be remembered: a Query then takes a quarter of the time.

And where a change set takes an existing bucket back into a stack (`ImportExistingResources`), its check of names
refuses the bucket because it exists: there that check is left out.

It also ends as soon as its state is written: threads of executions that are still under way would otherwise keep the
process alive for as long as their retries last.
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
    if parser is not None:  # another version may have no such function, and need none
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
