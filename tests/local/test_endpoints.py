"""The endpoint of a running emulator: which variables name it, and what is refused before any request."""

import os

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.endpoints import requested_endpoint
from local.errors import EndpointError


@pytest.mark.parametrize(
    ("variables", "url", "variable"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566", "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": " http://localhost:4566/ "}, "http://localhost:4566", "AWS_ENDPOINT_URL"),
        ({"LOCALSTACK_HOST": "box", "EDGE_PORT": "4510"}, "http://box:4510", "LOCALSTACK_HOST"),
        ({"AWS_ENDPOINT_URL": "http://[::1]:4566"}, "http://[::1]:4566", "AWS_ENDPOINT_URL"),
        ({"EDGE_PORT": "4510", "USE_SSL": "0"}, "http://localhost:4510", "EDGE_PORT"),
        ({"AWS_ENDPOINT_URL": "https://emulator.example"}, "https://emulator.example", "AWS_ENDPOINT_URL"),
        ({"AWS_ENDPOINT_URL": "", "LOCALSTACK_HOST": "box"}, "http://box:4566", "LOCALSTACK_HOST"),
        ({"LOCALSTACK_HOST": "box:4510", "EDGE_PORT": "1"}, "http://box:4510", "LOCALSTACK_HOST"),
        ({"LOCALSTACK_HOST": "[::1]", "USE_SSL": "true"}, "https://[::1]:4566", "LOCALSTACK_HOST"),
        ({"AWS_ENDPOINT_URL": "http://a:1", "LOCALSTACK_HOST": "b:2"}, "http://a:1", "AWS_ENDPOINT_URL"),
    ],
)
def test_the_variable_that_names_an_emulator(variables: dict[str, str], url: str, variable: str) -> None:
    endpoint = requested_endpoint(variables)
    assert endpoint is not None
    assert (endpoint.url, endpoint.variable) == (url, variable)


@pytest.mark.parametrize("variables", [{}, {"AWS_ENDPOINT_URL": "  "}, {"LOCALSTACK_HOST": "", "USE_SSL": "1"}])
def test_without_a_variable_an_emulator_is_started_here(variables: dict[str, str]) -> None:
    assert requested_endpoint(variables) is None


@pytest.mark.parametrize(
    "url",
    ["localhost:4566", "ftp://box:1", "http://", "http://:4566", "http://[::1", "http://box:99999", "http://box:0",
     "http://box:x", "http://box/path", "http://box?a=b", "http://user:secret@box:1", "http://b ox:1", "//box:1"],
)  # fmt: skip
def test_what_is_no_address_of_a_server_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(EndpointError, match=r"write it as http://host:port") as caught:
        requested_endpoint({"AWS_ENDPOINT_URL": url})
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_no_endpoint_of_aws_is_taken_for_an_emulator() -> None:
    """In every partition and region that boto3 knows."""
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b")
    for partition in session.get_available_partitions():
        regions = session.get_available_regions("dynamodb", partition)
        for region in regions[:2]:
            url = session.client("dynamodb", region_name=region).meta.endpoint_url
            with pytest.raises(EndpointError, match="an endpoint of AWS itself"):
                requested_endpoint({"AWS_ENDPOINT_URL": url})


@pytest.mark.parametrize(
    "host",
    ["dynamodb.us-east-1.amazonaws.com", "AMAZONAWS.COM", "sts.amazonaws.com.", "s3.cn-north-1.amazonaws.com.cn",
     "vpce-0a1b-2c3d.dynamodb.us-east-1.vpce.amazonaws.com", "dynamodb.us-east-1.api.aws", "sts.amazonaws.com:443"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_spellings_of_aws(scheme: str, host: str) -> None:
    with pytest.raises(EndpointError, match="an endpoint of AWS itself"):
        requested_endpoint({"AWS_ENDPOINT_URL": f"{scheme}://{host}"})
    with pytest.raises(EndpointError, match=r"an endpoint of AWS itself|write it as"):
        requested_endpoint({"LOCALSTACK_HOST": host})


def test_a_name_that_only_contains_that_of_aws_is_an_emulator() -> None:
    for host in ("amazonaws.com.example", "my-amazonaws.com", "localhost.localstack.cloud"):
        assert requested_endpoint({"AWS_ENDPOINT_URL": f"http://{host}:4566"}) is not None


TEXT = st.text(max_size=40) | st.from_regex(
    r"https?://[a-z.\[\]:%@/]{0,20}(amazonaws\.com|:[0-9]{1,6})?", fullmatch=True
)


@given(TEXT, st.sampled_from(["AWS_ENDPOINT_URL", "LOCALSTACK_HOST", "EDGE_PORT"]))
def test_any_text_is_an_address_or_one_clear_line(text: str, variable: str) -> None:
    try:
        endpoint = requested_endpoint({variable: text})
    except EndpointError as error:
        assert variable in str(error)
        assert "\n" not in str(error)
    else:
        assert endpoint is None or (endpoint.host_and_port[0] and 0 < endpoint.host_and_port[1] < 2**16)


def test_the_variables_of_this_process_are_not_read() -> None:
    assert requested_endpoint({"PATH": os.environ.get("PATH", "")}) is None
