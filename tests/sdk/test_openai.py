"""What a program written with the official openai SDK sees of the gateway."""

import asyncio
import subprocess
from collections import Counter

import openai
import pytest
from evenkeel import BINARY

MODELS = {"gpt-4o", "gpt-4o-mini"}
HELLO = [{"role": "user", "content": "Hello"}]


def client_of(gateway, key: str | None = None, **options) -> openai.OpenAI:
    # No retries: each call is one request, so that what it raises is what the gateway said.
    options = {"max_retries": 0, "timeout": 20} | options
    return openai.OpenAI(base_url=gateway.base_url, api_key=key or gateway.key("production"), **options)


@pytest.fixture
def client(gateway):
    with client_of(gateway) as client:
        yield client


def test_chat_is_served_by_both_models_half_and_half(client):
    answers = [client.chat.completions.create(model="o3-mini", messages=HELLO) for _ in range(10)]
    assert Counter(answer.model for answer in answers) == dict.fromkeys(MODELS, 5)
    for answer in answers:
        assert answer.choices[0].message.role == "assistant"
        assert answer.choices[0].message.content
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_headers_name_the_pair(client):
    raw = client.chat.completions.with_raw_response.create(model="o3-mini", messages=HELLO)
    assert raw.headers["x-evenkeel-model"] == raw.parse().model
    assert raw.headers["x-evenkeel-endpoint"] == "Default Production Endpoint"
    assert raw.headers["x-request-id"]


def test_a_streamed_chat(client):
    stream = client.chat.completions.create(
        model="o3-mini", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    said = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert len(said) == 5
    assert {chunk.model for chunk in chunks} < MODELS
    *_, finish, usage = chunks
    assert finish.choices[0].finish_reason == "stop"
    assert usage.choices == []
    assert usage.usage.total_tokens > 0


def test_embeddings(client):
    answer = client.embeddings.create(model="any", input=["one", "two"])
    assert answer.model == "text-embedding-3-small"
    assert [item.index for item in answer.data] == [0, 1]
    assert all(isinstance(number, float) for item in answer.data for number in item.embedding)


def test_an_operation_without_a_policy(client):
    assert [model.id for model in client.models.list()]


def test_the_async_client(gateway):
    async def ask_all():
        key = gateway.key("production")
        async with openai.AsyncOpenAI(base_url=gateway.base_url, api_key=key, max_retries=0) as client:
            ask = client.chat.completions.create
            whole = await asyncio.gather(*(ask(model="o3-mini", messages=HELLO) for _ in range(20)))
            stream = await ask(model="o3-mini", messages=HELLO, stream=True)
            return whole, [chunk async for chunk in stream]

    whole, chunks = asyncio.run(ask_all())
    assert Counter(answer.model for answer in whole) == dict.fromkeys(MODELS, 10)
    assert len({chunk.model for chunk in chunks}) == 1
    assert len(chunks) > 1


@pytest.mark.parametrize("key", ["sk-not-one-of-ours", "ek_prod_mistyped"])
def test_a_wrong_key_is_an_authentication_error(gateway, key):
    with client_of(gateway, key) as client, pytest.raises(openai.AuthenticationError) as raised:
        client.chat.completions.create(model="o3-mini", messages=HELLO)
    assert raised.value.status_code == 401
    assert raised.value.code == "invalid_api_key"
    assert raised.value.request_id


def test_a_revoked_key_is_an_authentication_error(failing_gateway):
    # A gateway of its own, as its key goes. A list of models is not balanced, and so not suspended.
    file = failing_gateway.file
    key = failing_gateway.key("production")
    subprocess.run([BINARY, "keys", "revoke", "-c", str(file), "production"], check=True)
    with client_of(failing_gateway, key) as client:
        # It is known for at most a second more; each answer until then is the vendor's.
        for _ in range(10_000):
            try:
                client.models.list()
            except openai.AuthenticationError as error:
                assert error.code == "invalid_api_key"
                return
            except openai.InternalServerError as error:
                assert error.code != "no_active_endpoints"
        pytest.fail("the revoked key is still accepted")


def test_a_key_of_another_environment_is_a_permission_error(gateway):
    with client_of(gateway, gateway.key("sandbox")) as client, pytest.raises(openai.PermissionDeniedError) as raised:
        client.chat.completions.create(model="o3-mini", messages=HELLO)
    assert raised.value.code == "environment_not_available"


def test_an_unknown_path_is_a_not_found_error(client):
    with pytest.raises(openai.NotFoundError) as raised:
        client.images.generate(model="any", prompt="a keel")
    assert raised.value.code == "operation_not_found"


def test_all_pairs_suspended_is_an_internal_server_error(failing_gateway):
    with client_of(failing_gateway) as client:
        for _ in MODELS:
            # Each pair fails once with what the vendor says, which is passed on.
            with pytest.raises(openai.InternalServerError) as raised:
                client.chat.completions.create(model="o3-mini", messages=HELLO)
            assert raised.value.status_code == 500
        with pytest.raises(openai.InternalServerError) as raised:
            client.chat.completions.create(model="o3-mini", messages=HELLO)
    assert raised.value.status_code == 503
    assert raised.value.code == "no_active_endpoints"
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 60
