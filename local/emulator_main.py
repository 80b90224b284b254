"""Runs MiniStack with five patches. This script is started in the emulator's own environment.

MiniStack parses an expression again for each item that it evaluates it on. Its parsers are pure functions of the
expression's text, so their results are cached here: a Query then takes a quarter of the time.

When a change set imports an existing bucket into a stack (`ImportExistingResources`), MiniStack's validation of names
refuses the bucket because it exists: this validation is switched off for imports.

The stream of a table has the items that PartiQL statements insert, as in AWS; MiniStack leaves them out.

The records of a table's stream end with the process, while the positions up to which functions have read them are kept:
after a restart as many new records would be skipped. Here functions begin with the first record after it.

The process ends as soon as its state is written: threads of executions that are still under way would otherwise keep it
alive for as long as their retries last.
"""

import os
import runpy
import sys
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from ministack.services import (  # type: ignore[import-not-found]  # in the emulator's environment
    cloudformation,
    dynamodb,
    lambda_svc,
)
from ministack.services.cloudformation import changesets  # type: ignore[import-not-found]

for name in ("_tokenize", "_condition_syntax_error"):
    parser = getattr(dynamodb, name, None)
    if parser is not None:  # another version may not have this function
        setattr(dynamodb, name, lru_cache(maxsize=1024)(parser))

_insert = dynamodb._partiql_insert  # noqa: SLF001  there is no public name for it


def _insert_with_stream(table: dict[str, Any], parsed: dict[str, Any]) -> Any:
    response = _insert(table, parsed)
    if response[0] == HTTPStatus.OK:
        item = parsed["item"]
        written = item["M"] if set(item) == {"M"} else item
        dynamodb._emit_stream_event(table["TableName"], "INSERT", None, written)  # noqa: SLF001
    return response


dynamodb._partiql_insert = _insert_with_stream  # noqa: SLF001

_restore_positions = lambda_svc._restore_esm_positions  # noqa: SLF001


def _restore_without_stream_positions(store: Any, positions: Any) -> None:
    _restore_positions(store, positions)
    if store is lambda_svc._dynamodb_stream_positions:  # noqa: SLF001
        for mapping in store._data:  # noqa: SLF001
            store._data[mapping] = 0  # noqa: SLF001


lambda_svc._restore_esm_positions = _restore_without_stream_positions  # noqa: SLF001

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
