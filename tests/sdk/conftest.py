"""The real binary, started on a file of its own against its own mock vendor."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from evenkeel import Process, create_key


@dataclass
class Gateway:
    """A gateway that serves: where it is, and its file."""

    address: str
    file: Path

    @property
    def base_url(self) -> str:
        return f"{self.address}/smartchat"

    def key(self, environment: str) -> str:
        """The key of the environment, made before the gateway began."""
        return (self.file.parent / f"{environment}.key").read_text()


CONFIGURATION = """
server: {{ grace_period_seconds: 0 }}
listeners: [ {{ address: "127.0.0.1:0" }} ]
admin: {{ address: "127.0.0.1:0" }}
state_dir: {directory}/state
access_log: {{ format: off }}
apis:
  - name: SmartChat
    context: /smartchat
    vendor: openai
    endpoints:
      production:
        - {{ name: Default Production Endpoint, url: "{vendor}", credential: of-the-endpoint }}
    operations:
      - method: POST
        path: /chat/completions
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: gpt-4o, weight: 50 }}
            - {{ model: gpt-4o-mini, weight: 50 }}
          suspend_duration: 60
      - method: POST
        path: /embeddings
        policy:
          type: model_weighted_round_robin
          production:
            - {{ model: text-embedding-3-small, weight: 1 }}
      - {{ method: GET, path: /models }}
"""


@contextlib.contextmanager
def gateway_before(directory: Path, *vendor_arguments: str):
    """A gateway in front of a mock vendor that was started with `vendor_arguments`."""
    with contextlib.ExitStack() as stack:
        vendor = Process("mock-vendor", "--listen", "127.0.0.1:0", *vendor_arguments)
        stack.callback(vendor.stop)
        at = vendor.wait_for(r"The mock vendor is at (http://\S+)")

        file = directory / "evenkeel.yaml"
        file.write_text(CONFIGURATION.format(directory=directory, vendor=at))
        for environment in ("production", "sandbox"):
            (directory / f"{environment}.key").write_text(create_key(file, environment))

        process = Process("run", "-c", str(file))
        stack.callback(process.stop)
        yield Gateway(process.wait_for(r"listening on (http://\S+)"), file)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A gateway before a vendor that works."""
    with gateway_before(tmp_path_factory.mktemp("gateway"), "--stream-chunks", "5") as running:
        yield running


@pytest.fixture
def failing_gateway(tmp_path):
    """A gateway before a vendor that answers every request with 500."""
    with gateway_before(tmp_path, "--fail", "500:1") as running:
        yield running
