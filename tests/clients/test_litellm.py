"""The litellm library, which itself speaks with many vendors in the way of each."""

import litellm
import pytest
from conftest import only, opened, through_the_gateway
from mocks.anthropic import Anthropic
from mocks.gemini import Gemini
from mocks.openai import TEXT, OpenAI

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def vendors():
    key = "key-of-the-endpoint"
    with OpenAI("sk-of-the-endpoint") as openai, Anthropic(key) as anthropic, Gemini(key) as gemini:
        yield {"openai": openai, "anthropic": anthropic, "gemini": gemini}


@pytest.fixture(scope="module")
def door(vendors, tmp_path_factory):
    at = {name.upper(): vendor.url for name, vendor in vendors.items()}
    with opened("litellm.yaml", list(vendors.values()), tmp_path_factory.mktemp("litellm"), **at) as door:
        yield door


@pytest.fixture(params=["openai", "anthropic", "gemini"])
def place(request, door, vendors):
    """How to reach a vendor with it, the vendor, and its model."""
    name = request.param
    vendor = vendors[name]
    model, context, base = {
        "openai": ("gpt-4o", "/openai", "/v1"),  # the endpoint's url has `/v1`
        "anthropic": ("claude-sonnet-5-5", "/anthropic", ""),
        "gemini": ("gemini-2.5-flash", "/gemini/v1", "/v1"),
    }[name]
    url = door.url(context, vendor.url + base)
    options = {"model": f"{name}/{door.ask(model)}", "api_base": url, "api_key": door.key(vendor.credential)}
    return options | {"messages": HELLO, "num_retries": 0}, vendor, model


def test_completion(place):
    options, vendor, model = place
    answer = litellm.completion(**options)
    assert (answer.choices[0].message.content, answer.usage.total_tokens) == (TEXT, 14)
    assert only(vendor.take()).model == model


def test_completion_streamed(place):
    options, vendor, model = place
    chunks = list(litellm.completion(stream=True, stream_options={"include_usage": True}, **options))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert chunks[-1].usage.total_tokens == 14
    assert only(vendor.take()).model == model


def test_embeddings(door, vendors):
    vendor = vendors["openai"]
    answer = litellm.embedding(
        model=f"openai/{door.ask('text-embedding-3-small')}",
        input=["one", "two"],
        api_base=door.url("/openai", f"{vendor.url}/v1"),
        api_key=door.key(vendor.credential),
    )
    assert [item["embedding"] for item in answer.data] == [[0.25, -0.5]] * 2
    assert only(vendor.take()).model == "text-embedding-3-small"


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
