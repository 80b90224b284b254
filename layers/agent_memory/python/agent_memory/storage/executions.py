"""Executions of a Step Functions state machine."""

from typing import Any

from botocore.exceptions import ClientError

from agent_memory.core.errors import Unavailable
from agent_memory.storage.aws_errors import error_code, translated_errors
from agent_memory.storage.factory import aws_client

_FAILED = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})


class Executions:
    """The executions of one state machine.

    Args:
        arn: the beginning of their ARNs, `arn:…:execution:{state machine}`.
        client: of boto3; created at first use if left out.
    """

    def __init__(self, arn: str, client: Any = None) -> None:
        self._arn = arn
        self._client = client

    def has_failed(self, name: str) -> bool:
        """Whether an execution has ended without success, or is so old that Step Functions has forgotten it.

        Raises:
            Unavailable: Step Functions did not respond.
        """
        self._client = self._client or aws_client("stepfunctions")
        try:
            with translated_errors("Step Functions"):
                return self._client.describe_execution(executionArn=f"{self._arn}:{name}")["status"] in _FAILED
        except Unavailable as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and error_code(cause) == "ExecutionDoesNotExist":
                return True
            raise
