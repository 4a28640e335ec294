"""The anthropic library."""

import anthropic
import pytest
from conftest import only, opened, through_the_gateway
from mocks.anthropic import Anthropic
from mocks.openai import TEXT

MODEL = "claude-sonnet-5-5"
HELLO = {"max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}
SPEED = {
    "name": "set_speed",
    "input_schema": {"type": "object", "properties": {"knots": {"type": "integer"}}},
}


@pytest.fixture(scope="module")
def vendor():
    with Anthropic("key-of-the-endpoint") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(vendor, tmp_path_factory):
    with opened("anthropic.yaml", [vendor], tmp_path_factory.mktemp("anthropic"), ANTHROPIC=vendor.url) as door:
        yield door


def client_of(door, vendor, context: str = "/anthropic", **options) -> anthropic.Anthropic:
    options = options or {"api_key": door.key(vendor.credential)}
    return anthropic.Anthropic(base_url=door.url(context, vendor.url), max_retries=0, **options)


@pytest.fixture
def client(door, vendor):
    with client_of(door, vendor) as client:
        yield client


def test_a_message(client, door, vendor):
    answer = client.messages.create(model=door.ask(MODEL), **HELLO)
    assert (answer.model, answer.content[0].text, answer.usage.output_tokens) == (MODEL, TEXT, 5)
    assert only(vendor.take()).model == MODEL


def test_a_message_streamed(client, door, vendor):
    with client.messages.stream(model=door.ask(MODEL), **HELLO) as stream:
        assert "".join(stream.text_stream) == TEXT
        answer = stream.get_final_message()
    assert (answer.model, answer.usage.output_tokens, answer.stop_reason) == (MODEL, 5, "end_turn")
    assert only(vendor.take()).model == MODEL


def test_a_tool_is_called(client, door, vendor):
    answer = client.messages.create(model=door.ask(MODEL), tools=[SPEED], **HELLO)
    assert (answer.content[0].name, answer.content[0].input) == ("set_speed", {"knots": 7})
    assert only(vendor.take()).json["tools"] == [SPEED]


def test_tokens_are_counted(client, door, vendor):
    answer = client.messages.count_tokens(model=door.ask(MODEL), messages=HELLO["messages"])
    assert answer.input_tokens == 9
    assert only(vendor.take()).model == MODEL


def test_what_the_vendor_refuses(client, door, vendor):
    vendor.fail_next(429)
    with pytest.raises(anthropic.RateLimitError) as raised:
        client.messages.create(model=door.ask(MODEL), **HELLO)
    assert raised.value.body["error"] == {"type": "rate_limit_error", "message": "made to fail"}
    assert only(vendor.take()).model == MODEL


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_both_ways_to_present_a_key(header, door, vendor):
    # The library presents it as Bearer since 2.0.0, and in a header of its own before.
    key = door.key(vendor.credential)
    ways = {"Authorization": {"auth_token": key}, "X-Api-Key": {"default_headers": {"X-Api-Key": key}}}
    with client_of(door, vendor, **ways[header]) as client:
        client.messages.create(model=door.ask(MODEL), **HELLO)
    only(vendor.take())


@through_the_gateway
@pytest.mark.parametrize(
    ("context", "presented"),
    [
        ("/anthropic", {"x-api-key": "key-of-the-endpoint"}),
        ("/bearer", {"authorization": "Bearer key-of-the-endpoint"}),
    ],
)
def test_both_ways_to_present_the_credential(context, presented, door, vendor):
    with client_of(door, vendor, context) as client:
        client.messages.create(model="any", **HELLO)
    assert only(vendor.take()).credentials == presented


@through_the_gateway
def test_the_models_are_listed(client):
    assert MODEL in [model.id for model in client.models.list()]


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
