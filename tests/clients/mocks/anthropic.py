"""Anthropic's Messages API."""

from .openai import TEXT, WORDS
from .server import Answer, Refused, Request, Vendor, events

# Cached tokens stand beside the others here, and are not among them.
INPUT = {"input_tokens": 4, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}


class Anthropic(Vendor):
    """The server for whoever presents `credential`, in one of the two ways."""

    def __init__(self, credential: str):
        super().__init__()
        self.credential = credential

    def check_credential(self, request: Request) -> None:
        ways = {"x-api-key": self.credential}, {"authorization": f"Bearer {self.credential}"}
        if request.credentials not in ways:
            raise Refused(401, f"invalid x-api-key: {request.credentials}")

    def refusal(self, status: int, message: str) -> Answer:
        kind = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
        error = {"type": kind.get(status, "invalid_request_error"), "message": message}
        return Answer({"type": "error", "error": error, "request_id": "req_1"}, status)

    def model_of(self, request: Request) -> str:
        model = request.json.get("model")
        if not isinstance(model, str):
            raise Refused(400, "model: Field required")
        return model

    def answer(self, request: Request) -> Answer:
        if request.header("anthropic-version") is None:
            raise Refused(400, "anthropic-version: header is required")
        if request.path == "/v1/messages/count_tokens":
            return Answer({"input_tokens": 9})
        if request.path != "/v1/messages":
            raise Refused(404, f"Not found: {request.path}")
        if "max_tokens" not in request.json:
            raise Refused(400, "max_tokens: Field required")
        self.tell(request.model, prompt=9, completion=5, cached=3)
        return self._streamed(request.model) if request.json.get("stream") else self._whole(request)

    def _whole(self, request: Request) -> Answer:
        content: dict = {"type": "text", "text": TEXT}
        if tools := request.json.get("tools"):
            content = {"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"], "input": {"knots": 7}}
        reason = "tool_use" if tools else "end_turn"
        usage = INPUT | {"output_tokens": 5}
        return Answer(_message(request.model) | {"content": [content], "stop_reason": reason, "usage": usage})

    def _streamed(self, model: str) -> Answer:
        message = _message(model) | {"content": [], "stop_reason": None, "usage": INPUT | {"output_tokens": 1}}
        deltas = ({"type": "text_delta", "text": word} for word in WORDS)
        return events(
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 5},
            },
            {"type": "message_stop"},
            named=True,
        )


def _message(model: str) -> dict:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_sequence": None}
