"""The google-genai library: the Gemini API, and Vertex AI."""

import pytest
from conftest import DIRECT, only, opened, through_the_gateway
from google import genai
from google.genai import errors
from google.oauth2.credentials import Credentials
from mocks.gemini import Gemini, VertexAI
from mocks.google_tokens import GoogleTokens
from mocks.openai import TEXT

MODEL = "gemini-2.5-flash"
SPEED = {"name": "set_speed", "parameters": {"type": "OBJECT", "properties": {"knots": {"type": "INTEGER"}}}}
PROJECT = {"project": "keel", "location": "europe-west4"}


@pytest.fixture(scope="module")
def gemini():
    with Gemini("key-of-the-endpoint") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def tokens():
    with GoogleTokens() as vendor:
        yield vendor


@pytest.fixture(scope="module")
def vertex(tokens):
    def is_known(token: str) -> bool:
        return token in tokens.handed_out or (DIRECT and token == "of-the-client")

    with VertexAI(is_known) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(gemini, vertex, tokens, tmp_path_factory):
    at = {"GEMINI": gemini.url, "VERTEX": vertex.url, "SERVICE_ACCOUNT": tokens.service_account}
    with opened("google-genai.yaml", [gemini, vertex], tmp_path_factory.mktemp("google"), **at) as door:
        yield door


def gemini_client(door, gemini, context: str) -> genai.Client:
    options = {"base_url": door.url(context, gemini.url)}
    return genai.Client(api_key=door.key(gemini.credential), http_options=options)


def vertex_client(door, vertex) -> genai.Client:
    options = {"base_url": door.url("/vertex", vertex.url), "api_version": "v1"}
    credentials = Credentials(token=door.key("of-the-client"))
    return genai.Client(vertexai=True, credentials=credentials, http_options=options, **PROJECT)


@pytest.fixture(params=["gemini", "vertex"])
def place(request, door, gemini, vertex):
    """A client and the vendor behind it."""
    if request.param == "gemini":
        return gemini_client(door, gemini, "/gemini"), gemini
    return vertex_client(door, vertex), vertex


def test_content(place, door):
    client, vendor = place
    answer = client.models.generate_content(model=door.ask(MODEL), contents="Hello")
    assert (answer.model_version, answer.text, answer.usage_metadata.total_token_count) == (MODEL, TEXT, 14)
    assert only(vendor.take()).model == MODEL


def test_content_streamed(place, door):
    client, vendor = place
    pieces = list(client.models.generate_content_stream(model=door.ask(MODEL), contents="Hello"))
    assert "".join(piece.text for piece in pieces) == TEXT
    assert pieces[-1].usage_metadata.total_token_count == 14
    request = only(vendor.take())
    assert (request.model, request.query) == (MODEL, "alt=sse")


def test_a_tool_is_called(place, door):
    client, vendor = place
    config = {"tools": [{"function_declarations": [SPEED]}]}
    answer = client.models.generate_content(model=door.ask(MODEL), contents="Hello", config=config)
    assert [(call.name, call.args) for call in answer.function_calls] == [("set_speed", {"knots": 7})]
    assert only(vendor.take()).model == MODEL


def test_tokens_are_counted(place, door):
    client, vendor = place
    assert client.models.count_tokens(model=door.ask(MODEL), contents="Hello").total_tokens == 9
    assert only(vendor.take()).model == MODEL


def test_embeddings(door, gemini):
    client = gemini_client(door, gemini, "/embeddings")
    # The path names the model, and each text of the body names it again.
    answer = client.models.embed_content(model=door.ask("gemini-embedding-001"), contents=["one", "two"])
    assert [each.values for each in answer.embeddings] == [[0.25, -0.5]] * 2
    assert only(gemini.take()).model == "gemini-embedding-001"


def test_what_the_vendor_refuses(place, door):
    client, vendor = place
    vendor.fail_next(429)
    with pytest.raises(errors.ClientError) as raised:
        client.models.generate_content(model=door.ask(MODEL), contents="Hello")
    assert (raised.value.code, raised.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert only(vendor.take()).model == MODEL


@through_the_gateway
def test_content_is_tried_again(door, gemini):
    gemini.fail_next(429)
    client = gemini_client(door, gemini, "/retried")
    answer = client.models.generate_content(model=door.ask(MODEL), contents="Hello")
    first, second = gemini.take()
    assert (first.status, second.status) == (429, 200)
    assert {first.model, second.model} == {"gemini-2.5-flash", "gemini-2.5-pro"}
    assert (answer.model_version, answer.text) == (second.model, TEXT)
    assert first.body == second.body


@through_the_gateway
def test_one_token_was_fetched_for_all_of_it(door, vertex, tokens):
    client = vertex_client(door, vertex)
    client.models.generate_content(model=MODEL, contents="Hello")
    only(vertex.take())
    assert len(tokens.handed_out) == 1


@through_the_gateway
def test_the_models_are_listed(door, gemini):
    client = gemini_client(door, gemini, "/gemini")
    assert f"models/{MODEL}" in [model.name for model in client.models.list()]


@through_the_gateway
def test_a_model_of_vertex_can_be_asked_for_as_it_is_listed(door, vertex):
    client = vertex_client(door, vertex)
    name = f"publishers/google/models/{MODEL}"
    assert [model.name for model in client.models.list()] == [name]
    assert client.models.generate_content(model=name, contents="Hello").text == TEXT
    assert only(vertex.take()).model == MODEL


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
