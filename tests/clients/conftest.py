"""The door that a library is pointed to: the gateway before mocks of vendors or, with DIRECT=1, the mock itself."""

import contextlib
import os
import re
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from evenkeel import PATIENCE, Process, create_key
from mocks.server import Request, Vendor

# Without the gateway: shows that the libraries take the mocks for their vendors. What only a gateway does is skipped.
DIRECT = os.environ.get("DIRECT") == "1"
CONFIGURATIONS = Path(__file__).parent / "conf"
CERTIFICATES = Path(__file__).parent / "certificates"

through_the_gateway = pytest.mark.skipif(DIRECT, reason="only a gateway does this")


@dataclass
class Door:
    """Where a library is pointed to. What each method is given as `direct` is the vendor's own."""

    address: str = ""
    admin: str = ""
    gateway_key: str = ""
    vendors: list[Vendor] = field(default_factory=list)

    def url(self, context: str, direct: str) -> str:
        return direct if DIRECT else self.address + context

    def key(self, direct: str) -> str:
        return direct if DIRECT else self.gateway_key

    def ask(self, direct: str) -> str:
        """The model to ask for. Through the gateway it is one that no vendor would serve."""
        return direct if DIRECT else "whatever-the-client-asks-for"

    def counted(self) -> Counter[tuple[str, str]]:
        """The tokens that the gateway read from answers, by model and kind."""
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=PATIENCE) as response:
            text = response.read().decode()
        tokens: Counter[tuple[str, str]] = Counter()
        for labels, count in re.findall(r"^evenkeel_tokens_total\{(.*)\} (\d+)", text, re.MULTILINE):
            named = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
            tokens[named["model"], named["type"]] += int(count)
        return tokens

    def assert_usage_was_read(self) -> None:
        """That the gateway counted what the vendors told, to the token."""
        told = Counter()
        for vendor in self.vendors:
            told.update(vendor.told)
        assert told, "no vendor told of any tokens"
        # A request is counted when it has ended, which can be after the client has its answer.
        until = time.monotonic() + PATIENCE / 6
        while (counted := self._counted_kinds()) != told and time.monotonic() < until:
            time.sleep(0.02)
        assert (dict(told - counted), dict(counted - told)) == ({}, {}), "(not counted, not told)"

    def _counted_kinds(self) -> Counter[tuple[str, str]]:
        wanted = {"prompt", "completion", "cached"}
        return Counter({key: count for key, count in self.counted().items() if key[1] in wanted and count})


@pytest.fixture(autouse=True)
def nothing_of_another_test(request):
    """What a test that failed left unread is not the next one's."""
    yield
    if "door" in request.fixturenames:
        for vendor in request.getfixturevalue("door").vendors:
            vendor.forget()


def only(requests: list[Request]) -> Request:
    """The one request there was, which carried nothing that was made for the gateway."""
    [request] = requests
    assert_clean(request)
    return request


def assert_clean(request: Request) -> None:
    """That no key of the gateway and no header of its own reached a vendor."""
    everything = repr((request.path, request.query, request.headers)) + request.body.decode("latin-1")
    assert "ek_prod_" not in everything
    assert not [name for name, _ in request.headers if name.lower().startswith("x-evenkeel")]


@contextlib.contextmanager
def opened(configuration: str, vendors: list[Vendor], directory: Path, **variables: str):
    """The gateway with this file of `conf/`, in which the variables stand."""
    if DIRECT:
        yield Door(vendors=vendors)
        return
    file = CONFIGURATIONS / configuration
    variables = {"STATE": str(directory / "state"), "CERTIFICATES": str(CERTIFICATES)} | variables
    key = create_key(file, "production", variables)
    process = Process("run", "-c", str(file), variables=variables)
    try:
        admin = process.wait_for(r"admin on (http://\S+)")
        address = process.wait_for(r"listening on (https?://\S+)")
        yield Door(address, admin, key, vendors)
    finally:
        process.stop()
