"""The langchain-openai library."""

import pytest
from conftest import only, opened, through_the_gateway
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from mocks.openai import TEXT, OpenAI


@tool
def set_speed(knots: int) -> None:
    """Sets the speed."""


@pytest.fixture(scope="module")
def vendor():
    with OpenAI("sk-of-the-endpoint") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(vendor, tmp_path_factory):
    with opened("langchain-openai.yaml", [vendor], tmp_path_factory.mktemp("langchain"), OPENAI=vendor.url) as door:
        yield door


@pytest.fixture
def options(door, vendor):
    url = door.url("/openai", f"{vendor.url}/v1")
    return {"base_url": url, "api_key": door.key(vendor.credential), "max_retries": 0}


@pytest.fixture
def chat(options, door):
    return ChatOpenAI(model=door.ask("gpt-4o"), stream_usage=True, **options)


def test_chat(chat, vendor):
    answer = chat.invoke("Hello")
    assert (answer.content, answer.usage_metadata["total_tokens"]) == (TEXT, 14)
    assert answer.response_metadata["model_name"] == "gpt-4o"
    assert only(vendor.take()).model == "gpt-4o"


def test_chat_streamed(chat, vendor):
    answer = None
    for chunk in chat.stream("Hello"):
        answer = chunk if answer is None else answer + chunk
    assert (answer.content, answer.usage_metadata["total_tokens"]) == (TEXT, 14)
    assert only(vendor.take()).model == "gpt-4o"


def test_a_tool_is_called(chat, vendor):
    answer = chat.bind_tools([set_speed]).invoke("Hello")
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("set_speed", {"knots": 7})]
    assert only(vendor.take()).model == "gpt-4o"


def test_embeddings(options, door, vendor):
    # Its own count of tokens would need a download.
    model = door.ask("text-embedding-3-small")
    embeddings = OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, **options)
    assert embeddings.embed_documents(["one", "two"]) == [[0.25, -0.5]] * 2
    assert only(vendor.take()).model == "text-embedding-3-small"


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
