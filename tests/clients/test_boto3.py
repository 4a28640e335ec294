"""boto3's bedrock-runtime."""

import dataclasses
import json

import boto3
import pytest
from botocore.config import Config
from conftest import CERTIFICATES, DIRECT, only, opened, through_the_gateway
from mocks.bedrock import Bedrock, bearer
from mocks.openai import TEXT
from mocks.server import Refused
from mocks.sigv4 import Signed

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"

OF_THE_ENDPOINT = Signed("AKIDOFTHEENDPOINT", "secret-of-the-endpoint", "eu-central-1")
OF_THE_SESSION = Signed("ASIAOFTHESESSION", "secret-of-the-session", "us-east-1", session_token="token-of-the-session")
OF_THE_CLIENT = Signed("AKIDOFTHECLIENT", "secret-of-the-client", "us-west-2", session_token="token-of-the-client")

HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]
SPEED = {"toolSpec": {"name": "set_speed", "inputSchema": {"json": {"type": "object"}}}}


@pytest.fixture(scope="module")
def signed():
    with Bedrock(OF_THE_ENDPOINT.check) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def session():
    with Bedrock(OF_THE_SESSION.check) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def keyed():
    with Bedrock(bearer("key-of-the-endpoint")) as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(signed, session, keyed, tmp_path_factory):
    at = {"SIGNED": signed.url, "SESSION": session.url, "BEARER": keyed.url}
    with opened("boto3.yaml", [signed, session, keyed], tmp_path_factory.mktemp("boto3"), **at) as door:
        yield door


def client_of(url: str, who: Signed):
    """A client that signs with these keys."""
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name=who.region,
        aws_access_key_id=who.access_key_id,
        aws_secret_access_key=who.secret_access_key,
        aws_session_token=who.session_token,
        config=Config(retries={"total_max_attempts": 1}),
        verify=str(CERTIFICATES / "for-tests-only.pem"),
    )


@pytest.fixture
def client_with_key(door, monkeypatch):
    """Makes a client that presents the gateway's key as if it were an API key of Bedrock."""

    def make(context: str, vendor: Bedrock, who: Signed):
        if DIRECT:
            return client_of(vendor.url, who)
        # With this the library signs nothing, and talks to none but a server with TLS.
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", door.gateway_key)
        return client_of(door.address + context, OF_THE_CLIENT)

    return make


@pytest.fixture(params=["signed", "open", pytest.param("bearer", marks=through_the_gateway)])
def place(request, door, client_with_key, signed, session, keyed):
    """A client, the vendor behind, and the model that it serves."""
    match request.param:
        case "signed":
            return client_with_key("/signed", signed, OF_THE_ENDPOINT), signed, CLAUDE
        case "bearer":
            return client_with_key("/bearer", keyed, OF_THE_CLIENT), keyed, NOVA
        case _:
            # It signs with keys of its own, of which nothing may reach the vendor: `Signed.check` is exact.
            who = OF_THE_SESSION if DIRECT else OF_THE_CLIENT
            return client_of(door.url("/open", session.url), who), session, PROFILE


def test_converse(place, door):
    client, vendor, model = place
    answer = client.converse(modelId=door.ask(model), messages=HELLO)
    assert answer["output"]["message"]["content"] == [{"text": TEXT}]
    assert answer["usage"]["totalTokens"] == 14
    assert only(vendor.take()).model == model


def test_converse_streamed(place, door):
    client, vendor, model = place
    events = list(client.converse_stream(modelId=door.ask(model), messages=HELLO)["stream"])
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(deltas) == TEXT
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 14
    assert only(vendor.take()).model == model


def test_invoke(place, door):
    client, vendor, model = place
    answer = client.invoke_model(modelId=door.ask(model), body=json.dumps({"max_tokens": 64}))
    assert json.load(answer["body"])["content"] == [{"type": "text", "text": TEXT}]
    request = only(vendor.take())
    # The body names no model, and gains none.
    assert (request.model, request.body) == (model, b'{"max_tokens": 64}')


def test_invoke_streamed(place, door):
    client, vendor, model = place
    answer = client.invoke_model_with_response_stream(modelId=door.ask(model), body="{}")
    events = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    assert "".join(event["delta"].get("text", "") for event in events if "delta" in event) == TEXT
    assert only(vendor.take()).model == model


def test_a_tool_is_called(place, door):
    client, vendor, model = place
    answer = client.converse(modelId=door.ask(model), messages=HELLO, toolConfig={"tools": [SPEED]})
    [content] = answer["output"]["message"]["content"]
    assert (content["toolUse"]["name"], content["toolUse"]["input"]) == ("set_speed", {"knots": 7})
    assert only(vendor.take()).model == model


@pytest.mark.parametrize("model", [CLAUDE, PROFILE])
def test_a_client_that_asks_for_a_model_with_a_colon_or_a_slash(model, client_with_key, signed):
    # The library percent-encodes both. What is asked for is replaced as any other.
    client = client_with_key("/signed", signed, OF_THE_ENDPOINT)
    client.converse(modelId=model, messages=HELLO)
    assert only(signed.take()).model == (model if DIRECT else CLAUDE)


@through_the_gateway
@pytest.mark.parametrize("context", ["/open-signed", "/open-bearer"])
def test_nothing_of_the_clients_own_signature_reaches_the_vendor(context, door, signed, keyed):
    vendor = {"/open-signed": signed, "/open-bearer": keyed}[context]
    client = client_of(door.address + context, OF_THE_CLIENT)
    assert client.converse(modelId=PROFILE, messages=HELLO)["usage"]["totalTokens"] == 14
    request = only(vendor.take())
    assert request.model == NOVA
    assert set(request.credentials) == {"authorization"}
    assert OF_THE_CLIENT.access_key_id not in repr(request.headers)


def test_what_the_vendor_refuses(place, door):
    client, vendor, model = place
    vendor.fail_next(429)
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse(modelId=door.ask(model), messages=HELLO)
    assert only(vendor.take()).model == model


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/model/anthropic.claude-haiku-4-5-20251001-v1:0/converse"},  # the same, but not as it was signed
        {"query": "a=b"},
        {"body": b"{}"},
        {"method": "PUT"},
        {"headers": [("x-amz-target", "elsewhere")]},
    ],
)
def test_the_mock_refuses_what_was_changed_after_it_was_signed(change, client_with_key, signed):
    # That the other tests could fail.
    client_with_key("/signed", signed, OF_THE_ENDPOINT).converse(modelId=CLAUDE, messages=HELLO)
    request = only(signed.take())
    OF_THE_ENDPOINT.check(request)
    headers = request.headers + change.get("headers", [])
    with pytest.raises(Refused):
        OF_THE_ENDPOINT.check(dataclasses.replace(request, **change | {"headers": headers}))


@through_the_gateway
@pytest.mark.parametrize("streamed", [False, True])
def test_it_is_tried_again_and_signed_again(streamed, client_with_key, signed):
    signed.fail_next(429)
    client = client_with_key("/retried", signed, OF_THE_ENDPOINT)
    if streamed:
        stream = client.converse_stream(modelId="any", messages=HELLO)["stream"]
        assert any("metadata" in event for event in stream)
    else:
        assert client.converse(modelId="any", messages=HELLO)["usage"]["totalTokens"] == 14
    first, second = signed.take()
    # Each was signed for its own path: 403 is what the mock says else.
    assert (first.status, second.status) == (429, 200)
    assert {first.model, second.model} == {"amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0"}
    assert first.header("authorization") != second.header("authorization")


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
