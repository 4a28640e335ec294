"""The openai library: OpenAI, Azure OpenAI, and both in one AI API beside a vLLM server."""

import hashlib
import random

import openai
import pytest
from conftest import only, opened, through_the_gateway
from mocks.azure_openai import AzureOpenAI
from mocks.openai import TEXT, OpenAI

HELLO = [{"role": "user", "content": "Hello"}]
# Every byte there is, in no order, so that what looks like a boundary or a line's end is there too.
SOUND = random.Random(1).randbytes(1024 * 1024) + b"\r\n--\r\n"
SPEED = {
    "type": "function",
    "function": {"name": "set_speed", "parameters": {"type": "object", "properties": {"knots": {"type": "integer"}}}},
}
VERSION = "2024-10-21"


@pytest.fixture(scope="module")
def vendor():
    with OpenAI("sk-of-the-endpoint") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def azure():
    with AzureOpenAI("key-of-the-resource") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def vllm():
    with OpenAI("token-of-vllm") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(vendor, azure, vllm, tmp_path_factory):
    at = {"OPENAI": vendor.url, "AZURE": azure.url, "VLLM": vllm.url}
    with opened("openai.yaml", [vendor, azure, vllm], tmp_path_factory.mktemp("openai"), **at) as door:
        yield door


def client_of(door, vendor, context: str = "/openai") -> openai.OpenAI:
    # No retries: what fails is to be tried again by the gateway.
    return openai.OpenAI(
        base_url=door.url(context, f"{vendor.url}/v1"), api_key=door.key(vendor.credential), max_retries=0
    )


@pytest.fixture
def client(door, vendor):
    with client_of(door, vendor) as client:
        yield client


def azure_client_of(door, azure, context: str = "/azure") -> openai.AzureOpenAI:
    return openai.AzureOpenAI(
        azure_endpoint=door.url(context, azure.url),
        api_version=VERSION,
        api_key=door.key(azure.credential),
        max_retries=0,
    )


@pytest.fixture
def azure_client(door, azure):
    with azure_client_of(door, azure) as client:
        yield client


def test_chat(client, door, vendor):
    answer = client.chat.completions.create(model=door.ask("gpt-4o"), messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    assert (answer.model, answer.usage.total_tokens) == ("gpt-4o", 14)
    assert only(vendor.take()).model == "gpt-4o"


def test_chat_streamed(client, door, vendor):
    stream = client.chat.completions.create(
        model=door.ask("gpt-4o"), messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == TEXT
    assert (last.model, last.usage.total_tokens) == ("gpt-4o", 14)
    assert only(vendor.take()).model == "gpt-4o"


def test_a_tool_is_called(client, door, vendor):
    answer = client.chat.completions.create(model=door.ask("gpt-4o"), messages=HELLO, tools=[SPEED])
    [call] = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("set_speed", '{"knots":7}')
    assert only(vendor.take()).json["tools"] == [SPEED]


def test_responses(client, door, vendor):
    answer = client.responses.create(model=door.ask("gpt-4o"), input="Hello")
    assert (answer.model, answer.output_text, answer.usage.total_tokens) == ("gpt-4o", TEXT, 14)
    assert only(vendor.take()).model == "gpt-4o"


def test_responses_streamed(client, door, vendor):
    events = list(client.responses.create(model=door.ask("gpt-4o"), input="Hello", stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].response.model == "gpt-4o"
    assert only(vendor.take()).model == "gpt-4o"


def test_embeddings(client, door, vendor):
    answer = client.embeddings.create(model=door.ask("text-embedding-3-small"), input=["one", "two"])
    assert [item.embedding for item in answer.data] == [[0.25, -0.5]] * 2
    assert only(vendor.take()).model == "text-embedding-3-small"


def test_a_transcription(client, door, vendor):
    answer = client.audio.transcriptions.create(
        model=door.ask("gpt-4o-transcribe"), file=("keel.wav", SOUND), language="en"
    )
    assert answer.text == f"keel.wav: {len(SOUND)} bytes"
    request = only(vendor.take())
    assert request.model == "gpt-4o-transcribe"
    assert sorted(request.form.names) == ["file", "language", "model"]
    [heard] = request.form.values("file")
    assert hashlib.sha256(heard).digest() == hashlib.sha256(SOUND).digest()


def test_a_transcription_streamed(client, door, vendor):
    model = door.ask("gpt-4o-transcribe")
    stream = client.audio.transcriptions.create(model=model, file=("keel.wav", SOUND), stream=True)
    assert [event.type for event in stream] == ["transcript.text.delta", "transcript.text.done"]
    assert only(vendor.take()).model == "gpt-4o-transcribe"


def test_what_the_vendor_refuses(client, door, vendor):
    vendor.fail_next(429)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model=door.ask("gpt-4o"), messages=HELLO)
    assert raised.value.body["message"] == "made to fail"
    assert only(vendor.take()).model == "gpt-4o"


@through_the_gateway
def test_a_transcription_is_tried_again(door, vendor):
    vendor.fail_next(429)
    with client_of(door, vendor, "/retried") as client:
        raw = client.audio.transcriptions.with_raw_response.create(
            model=door.ask("whisper-1"), file=("keel.wav", SOUND)
        )
    first, second = vendor.take()
    assert (first.status, second.status) == (429, 200)
    assert {first.model, second.model} == {"whisper-1", "gpt-4o-transcribe"}
    assert raw.headers["x-evenkeel-model"] == second.model
    assert raw.parse().text == f"keel.wav: {len(SOUND)} bytes"
    assert first.form.values("file") == second.form.values("file") == [SOUND]


def test_azure_chat(azure_client, door, azure):
    answer = azure_client.chat.completions.create(model=door.ask("our-gpt-4o"), messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    request = only(azure.take())
    assert request.path == "/openai/deployments/our-gpt-4o/chat/completions"
    assert request.parameters == {"api-version": [VERSION]}


def test_azure_chat_streamed(azure_client, door, azure):
    stream = azure_client.chat.completions.create(model=door.ask("our-gpt-4o"), messages=HELLO, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == TEXT
    assert only(azure.take()).model == "our-gpt-4o"


def test_an_azure_transcription(azure_client, door, azure):
    answer = azure_client.audio.transcriptions.create(model=door.ask("our-gpt-4o"), file=("keel.wav", SOUND))
    assert answer.text == f"keel.wav: {len(SOUND)} bytes"
    request = only(azure.take())
    assert request.path == "/openai/deployments/our-gpt-4o/audio/transcriptions"
    # It follows the path, where the library has put it.
    assert request.form.values("model") == [b"our-gpt-4o"]


@through_the_gateway
def test_three_vendors_in_one_ai_api(door, vendor, azure, vllm):
    with client_of(door, vendor, "/mixed") as client:
        for _ in range(3):
            answer = client.chat.completions.create(model="any", messages=HELLO)
            assert answer.choices[0].message.content == TEXT
        for _ in range(3):
            answer = client.audio.transcriptions.create(model="any", file=("keel.wav", SOUND))
            assert answer.text == f"keel.wav: {len(SOUND)} bytes"
    expected = {
        vendor: ("/v1", "gpt-4o", "gpt-4o-transcribe"),
        vllm: ("/v1", "meta-llama/Llama-3.1-8B-Instruct", "openai/whisper-large-v3"),
        azure: ("/openai/deployments/{}", "our-gpt-4o", "our-whisper"),
    }
    # That the credential was right is what each of them answered for.
    for each, (base, chatting, hearing) in expected.items():
        chat, sound = each.take()
        assert (chat.path, chat.model) == (f"{base.format(chatting)}/chat/completions", chatting)
        assert (sound.path, sound.model) == (f"{base.format(hearing)}/audio/transcriptions", hearing)
        assert bool(chat.parameters.get("api-version")) == (each is azure)


@through_the_gateway
def test_an_azure_client_before_two_vendors(door, vendor, azure):
    with azure_client_of(door, azure, "/mixed-azure") as client:
        for _ in range(2):
            assert client.chat.completions.create(model="any", messages=HELLO).choices[0].message.content == TEXT
        for _ in range(2):
            answer = client.audio.transcriptions.create(model="any", file=("keel.wav", SOUND))
            assert answer.text == f"keel.wav: {len(SOUND)} bytes"
    at_azure = [f"/openai/deployments/our-gpt-4o/{route}" for route in ("chat/completions", "audio/transcriptions")]
    assert [request.path for request in azure.take()] == at_azure
    seen = [(request.path, request.query, request.model) for request in vendor.take()]
    assert seen == [
        ("/v1/chat/completions", "", "gpt-4o-transcribe"),
        ("/v1/audio/transcriptions", "", "gpt-4o-transcribe"),
    ]


@through_the_gateway
def test_the_models_are_listed(client):
    # By the gateway itself, as the other lists of models are.
    assert "gpt-4o" in [model.id for model in client.models.list()]


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
