"""The mistralai library."""

import random

import pytest
from conftest import only, opened, through_the_gateway
from mistralai.client import Mistral as Client
from mocks.mistral import Mistral
from mocks.openai import TEXT

HELLO = [{"role": "user", "content": "Hello"}]
SOUND = random.Random(1).randbytes(1024 * 1024)
SPEED = {
    "type": "function",
    "function": {"name": "set_speed", "parameters": {"type": "object", "properties": {"knots": {"type": "integer"}}}},
}


@pytest.fixture(scope="module")
def vendor():
    with Mistral("key-of-the-endpoint") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(vendor, tmp_path_factory):
    with opened("mistralai.yaml", [vendor], tmp_path_factory.mktemp("mistralai"), MISTRAL=vendor.url) as door:
        yield door


@pytest.fixture
def client(door, vendor):
    with Client(server_url=door.url("/mistral", vendor.url), api_key=door.key(vendor.credential)) as client:
        yield client


def test_chat(client, door, vendor):
    answer = client.chat.complete(model=door.ask("mistral-small-latest"), messages=HELLO)
    assert (answer.model, answer.choices[0].message.content) == ("mistral-small-latest", TEXT)
    assert only(vendor.take()).model == "mistral-small-latest"


def test_chat_streamed(client, door, vendor):
    chunks = [event.data for event in client.chat.stream(model=door.ask("mistral-small-latest"), messages=HELLO)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert (chunks[-1].model, chunks[-1].usage.total_tokens) == ("mistral-small-latest", 14)
    assert only(vendor.take()).model == "mistral-small-latest"


def test_a_tool_is_called(client, door, vendor):
    answer = client.chat.complete(model=door.ask("mistral-small-latest"), messages=HELLO, tools=[SPEED])
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("set_speed", '{"knots":7}')
    assert only(vendor.take()).model == "mistral-small-latest"


def test_the_middle_is_filled_in(client, door, vendor):
    answer = client.fim.complete(model=door.ask("codestral-latest"), prompt="def keel():", suffix="return hull")
    assert (answer.model, answer.choices[0].message.content) == ("codestral-latest", TEXT)
    assert only(vendor.take()).path == "/v1/fim/completions"


def test_embeddings(client, door, vendor):
    answer = client.embeddings.create(model=door.ask("mistral-embed"), inputs=["one", "two"])
    assert [item.embedding for item in answer.data] == [[0.25, -0.5]] * 2
    assert only(vendor.take()).model == "mistral-embed"


def test_a_transcription(client, door, vendor):
    file = {"file_name": "keel.wav", "content": SOUND}
    answer = client.audio.transcriptions.complete(model=door.ask("voxtral-mini-latest"), file=file)
    assert answer.text == f"keel.wav: {len(SOUND)} bytes"
    request = only(vendor.take())
    assert request.model == "voxtral-mini-latest"
    assert request.form.values("file") == [SOUND]


@through_the_gateway
def test_the_models_are_listed(client):
    assert "mistral-small-latest" in [model.id for model in client.models.list().data]


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
