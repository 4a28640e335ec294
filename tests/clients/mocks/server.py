"""What every mock of a vendor has: a server on loopback, a record of what it was sent, and a way to make it fail."""

import gzip
import json
import re
import sys
import threading
import urllib.parse
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .multipart import Form

# Where a client, a gateway or another vendor's scheme could leave a credential.
CREDENTIAL_HEADERS = {"authorization", "x-api-key", "api-key", "apikey", "x-goog-api-key", "x-amz-security-token"}


class Refused(Exception):
    """The vendor does not take the request."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass
class Request:
    """A request as it arrived, and what was made of it."""

    method: str
    path: str  # as it was sent: percent-encoding and all
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    model: str | None = None  # what the vendor took for the model
    status: int = 0

    def header(self, name: str) -> str | None:
        """The value of the header; two of it would be a fault of the sender."""
        values = [value for key, value in self.headers if key.lower() == name]
        assert len(values) < 2, f"{name} came more than once: {values}"
        return values[0] if values else None

    @property
    def credentials(self) -> dict[str, str]:
        """Every header that could hold a credential."""
        return {key.lower(): value for key, value in self.headers if key.lower() in CREDENTIAL_HEADERS}

    @property
    def parameters(self) -> dict[str, list[str]]:
        return urllib.parse.parse_qs(self.query, keep_blank_values=True)

    @property
    def json(self) -> dict:
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refused(400, f"the body is not JSON: {error}") from error

    @property
    def form(self) -> Form:
        try:
            return Form.read(self.header("content-type") or "", self.body)
        except ValueError as error:
            raise Refused(400, f"the body is not a form: {error}") from error


@dataclass
class Answer:
    """A response: whole, or in pieces that are sent as they are made."""

    content: dict | Iterator[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def events(*data: dict | str, named: bool = False) -> Answer:
    """A stream of server-sent events; `named` events are called by the `type` in their data."""

    def lines() -> Iterator[bytes]:
        for each in data:
            name = f"event: {each['type']}\n" if named else ""
            text = each if isinstance(each, str) else json.dumps(each)
            yield f"{name}data: {text}\n\n".encode()

    return Answer(lines(), content_type="text/event-stream; charset=utf-8")


class Vendor:
    """A vendor on loopback. What is its own is in the methods that raise `NotImplementedError`."""

    def __init__(self):
        self._seen: list[Request] = []
        self._failing: deque[int] = deque()
        self._told: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._broken: list[BaseException] = []
        self._server = _Server(("127.0.0.1", 0), type("ForThisVendor", (_Handler,), {"vendor": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def check_credential(self, request: Request) -> None:
        """Raises `Refused` if the request does not present what this vendor gave out."""
        raise NotImplementedError

    def model_of(self, request: Request) -> str | None:
        """The model, where this vendor looks for it; `None` where a request needs none."""
        raise NotImplementedError

    def answer(self, request: Request) -> Answer:
        """The good answer, or `Refused`."""
        raise NotImplementedError

    def refusal(self, status: int, message: str) -> Answer:
        """An error as this vendor words it."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail_next(self, *statuses: int) -> None:
        """Answers the next requests with these."""
        self._failing.extend(statuses)

    def take(self) -> list[Request]:
        """What was seen since this was last asked."""
        assert not self._broken, self._broken
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def forget(self) -> None:
        """As if nothing had been seen, and nothing were to fail."""
        with self._lock:
            self._seen = []
        self._failing.clear()

    @property
    def told(self) -> dict[tuple[str, str], int]:
        """The tokens that the answers told of, by model and kind."""
        return dict(self._told)

    def tell(self, model: str, **tokens: int) -> None:
        for kind, count in tokens.items():
            self._told[model, kind] += count

    def respond(self, request: Request) -> Answer:
        try:
            answer = self._decide(request)
        except Refused as error:
            answer = self.refusal(error.status, str(error))
        request.status = answer.status
        with self._lock:
            self._seen.append(request)
        return answer

    def fault(self, error: BaseException) -> None:
        """Something in the mock itself went wrong; whoever asks for the requests is told."""
        self._broken.append(error)

    def _decide(self, request: Request) -> Answer:
        self.check_credential(request)
        request.model = self.model_of(request)
        if self._failing:
            raise Refused(self._failing.popleft(), "made to fail")
        return self.answer(request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        error = sys.exception()
        # Some clients hang up when they have read the last event, and do not wait for the end of the stream.
        if not isinstance(error, ConnectionError):
            self.RequestHandlerClass.vendor.fault(error)


class VendorByPath(Vendor):
    """A vendor that looks for the model in the path."""

    # The model percent-encoded, and what is asked of it.
    PATH: re.Pattern

    def path_of(self, request: Request) -> re.Match:
        found = self.PATH.fullmatch(request.path)
        if not found:
            raise Refused(404, f"no such path: {request.path}")
        return found

    def model_of(self, request: Request) -> str:
        return urllib.parse.unquote(self.path_of(request).group(1))


class _Handler(BaseHTTPRequestHandler):
    vendor: Vendor
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query, list(self.headers.items()), self._body())
        answer = self.vendor.respond(request)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if isinstance(answer.content, dict):
            self._send_whole(json.dumps(answer.content).encode())
        else:
            self._send_pieces(answer.content)

    do_GET = do_POST = _serve

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send_whole(self, content: bytes) -> None:
        # As vendors do, if they are told that they may.
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_pieces(self, pieces: Iterator[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_) -> None:
        """What is to be known of a request is in the record."""
