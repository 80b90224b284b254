"""A start of the nightly schedule that is delivered twice is worked for once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.api.scheduled_starts import run_at_work
from agent_memory.core.errors import Unavailable
from agent_memory.storage.executions import Executions
from agent_memory.storage.in_memory.blobs import InMemoryBlobs

DUE = 1_795_000_200_000


def nothing_fails(_):
    return False


def test_the_first_run_works_however_often_it_asks_and_the_second_does_not():
    blobs = InMemoryBlobs()
    for _ in range(3):
        assert run_at_work(DUE, "one", blobs, nothing_fails) is None
        assert run_at_work(DUE, "two", blobs, nothing_fails) == "one"
    assert run_at_work(DUE + 1000, "two", blobs, nothing_fails) is None, "another start"


def test_a_run_takes_the_place_of_one_that_has_failed():
    blobs = InMemoryBlobs()
    failed = {"one"}
    assert run_at_work(DUE, "one", blobs, failed.__contains__) is None
    assert run_at_work(DUE, "two", blobs, failed.__contains__) is None
    assert run_at_work(DUE, "three", blobs, failed.__contains__) == "two"


@given(asked=st.lists(st.sampled_from("abc"), min_size=1, max_size=12))
def test_in_any_order_of_questions_one_run_works(asked):
    blobs = InMemoryBlobs()
    answers = [(run, run_at_work(DUE, run, blobs, nothing_fails)) for run in asked]
    assert answers == [(run, None if run == asked[0] else asked[0]) for run in asked]


class StepFunctions:
    def __init__(self, answer):
        self._answer = answer

    def describe_execution(self, *, executionArn):  # noqa: N803  the parameter of boto3
        assert executionArn == "arn:aws:states:eu-central-1:1:execution:m:one"
        if isinstance(self._answer, Exception):
            raise self._answer
        return {"status": self._answer}


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        ("RUNNING", False),
        ("SUCCEEDED", False),
        ("PENDING_REDRIVE", False),
        ("FAILED", True),
        ("TIMED_OUT", True),
        ("ABORTED", True),
    ],
)
def test_which_executions_have_failed(status, failed):
    executions = Executions("arn:aws:states:eu-central-1:1:execution:m", StepFunctions(status))
    assert executions.has_failed("one") is failed


def client_error(code):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": "m"}}, "DescribeExecution")


def test_a_forgotten_execution_has_ended_and_an_outage_is_none():
    arn = "arn:aws:states:eu-central-1:1:execution:m"
    assert Executions(arn, StepFunctions(client_error("ExecutionDoesNotExist"))).has_failed("one")
    with pytest.raises(Unavailable):
        Executions(arn, StepFunctions(client_error("ThrottlingException"))).has_failed("one")
