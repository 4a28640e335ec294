"""The openai library for Node, in a process of its own for each request."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from conftest import only, opened, through_the_gateway
from mocks.azure_openai import AzureOpenAI
from mocks.openai import TEXT, OpenAI

# Where the library is installed, beside a copy of the program.
INSTALLED = Path(os.environ["NODE_CLIENT"])
SOUND = random.Random(1).randbytes(1024 * 1024)


@pytest.fixture(scope="module")
def vendor():
    with OpenAI("sk-of-the-endpoint") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def azure():
    with AzureOpenAI("key-of-the-resource") as vendor:
        yield vendor


@pytest.fixture(scope="module")
def door(vendor, azure, tmp_path_factory):
    at = {"OPENAI": vendor.url, "AZURE": azure.url, "VLLM": vendor.url}
    with opened("openai.yaml", [vendor, azure], tmp_path_factory.mktemp("node"), **at) as door:
        yield door


def node(url: str, key: str, model: str, *what: str) -> dict:
    command = ["node", INSTALLED / "client.mjs", url, key, model, *what]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def ask(door, vendor):
    def ask(model: str, *what: str) -> dict:
        return node(door.url("/openai", f"{vendor.url}/v1"), door.key(vendor.credential), door.ask(model), *what)

    return ask


def test_chat(ask, vendor):
    assert ask("gpt-4o", "chat") == {"model": "gpt-4o", "text": TEXT}
    assert only(vendor.take()).model == "gpt-4o"


@pytest.mark.parametrize("what", ["chat_streamed", "responses_streamed"])
def test_streams(what, ask, vendor):
    assert ask("gpt-4o", what) == {"text": TEXT}
    assert only(vendor.take()).model == "gpt-4o"


def test_embeddings(ask, vendor):
    embeddings = [[0.25, -0.5]] * 2
    assert ask("text-embedding-3-small", "embeddings") == {"model": "text-embedding-3-small", "embeddings": embeddings}
    assert only(vendor.take()).model == "text-embedding-3-small"


@pytest.mark.parametrize(
    ("what", "names"),
    [("transcription_model_first", ["model", "file"]), ("transcription_model_last", ["file", "model"])],
)
def test_a_transcription(what, names, ask, vendor, tmp_path):
    file = tmp_path / "keel.wav"
    file.write_bytes(SOUND)
    assert ask("gpt-4o-transcribe", what, str(file))["text"] == f"keel.wav: {len(SOUND)} bytes"
    request = only(vendor.take())
    assert request.model == "gpt-4o-transcribe"
    assert request.form.names == names
    assert request.form.values("file") == [SOUND]


def test_azure_chat(door, azure):
    url, key = door.url("/azure", azure.url), door.key(azure.credential)
    assert node(url, key, door.ask("our-gpt-4o"), "azure_chat") == {"model": "our-gpt-4o", "text": TEXT}
    assert only(azure.take()).path == "/openai/deployments/our-gpt-4o/chat/completions"


@through_the_gateway
def test_the_tokens_of_every_answer_were_read(door):
    door.assert_usage_was_read()
