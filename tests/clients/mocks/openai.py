"""OpenAI, and servers that speak as it does."""

import base64
import struct
from collections.abc import Callable

from .server import Answer, Refused, Request, Vendor, events

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 5,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 3},
}
# The newer routes have other names for the same.
INPUT_OUTPUT = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}
WORDS = ["Steady", " as", " she", " goes"]
TEXT = "".join(WORDS)


class OpenAI(Vendor):
    """The server below `base`, for whoever presents `credential`."""

    def __init__(self, credential: str, base: str = "/v1"):
        super().__init__()
        self.credential = credential
        self.base = base
        self.routes: dict[str, Callable[[Request], Answer]] = {
            "/chat/completions": self.chat,
            "/responses": self.responses,
            "/embeddings": self.embeddings,
            "/audio/transcriptions": self.transcription,
        }

    def check_credential(self, request: Request) -> None:
        if request.credentials != {"authorization": f"Bearer {self.credential}"}:
            raise Refused(401, f"Incorrect API key provided: {request.credentials}")

    def refusal(self, status: int, message: str) -> Answer:
        error = {"message": message, "type": "made_by_the_mock", "param": None, "code": None}
        return Answer({"error": error}, status)

    def route_of(self, request: Request) -> str:
        """The path below the base; a deployment may stand between the two elsewhere."""
        return request.path.removeprefix(self.base)

    def model_of(self, request: Request) -> str | None:
        if request.method == "GET":
            return None
        if (request.header("content-type") or "").startswith("multipart/"):
            models = [value.decode() for value in request.form.values("model")]
        else:
            models = [request.json.get("model")]
        if len(models) != 1 or not isinstance(models[0], str):
            raise Refused(400, f"you must provide one model parameter, not {models}")
        return models[0]

    def answer(self, request: Request) -> Answer:
        route = self.routes.get(self.route_of(request))
        if not request.path.startswith(self.base) or route is None:
            raise Refused(404, f"Unknown request URL: {request.method} {request.path}")
        return route(request)

    def chat(self, request: Request) -> Answer:
        asked = request.json
        if not asked.get("messages"):
            raise Refused(400, "messages are missing")
        if asked.get("stream"):
            return self.streamed_chat(request.model, (asked.get("stream_options") or {}).get("include_usage"))
        return self.whole_chat(request.model, asked.get("tools"))

    def whole_chat(self, model: str, tools: list | None) -> Answer:
        message: dict = {"role": "assistant", "content": TEXT}
        if tools:
            called = {"name": tools[0]["function"]["name"], "arguments": '{"knots":7}'}
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "call_1", "type": "function", "function": called}],
            }
        self._tell(model)
        finish = "tool_calls" if "tool_calls" in message else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return Answer(_completion(model, "chat.completion", [choice]) | {"usage": USAGE})

    def streamed_chat(self, model: str, include_usage: bool) -> Answer:
        def chunk(delta: dict, finish: str | None = None) -> dict:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return _completion(model, "chat.completion.chunk", [choice])

        chunks = [chunk({"role": "assistant", "content": ""})]
        chunks += [chunk({"content": word}) for word in WORDS]
        chunks.append(chunk({}, "stop"))
        if include_usage:
            self._tell(model)
            chunks.append(_completion(model, "chat.completion.chunk", []) | {"usage": USAGE})
        return events(*chunks, "[DONE]")

    def responses(self, request: Request) -> Answer:
        model = request.model
        content = {"type": "output_text", "text": TEXT, "annotations": []}
        message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [content]}
        response = {"id": "resp_1", "object": "response", "created_at": 1, "model": model}
        response |= {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}
        details = {"input_tokens_details": {"cached_tokens": 3}, "output_tokens_details": {"reasoning_tokens": 0}}
        done = response | {"status": "completed", "output": [message], "usage": INPUT_OUTPUT | details}
        self._tell(model)
        if not request.json.get("stream"):
            return Answer(done)
        begun = {"type": "response.created", "response": response | {"status": "in_progress", "output": []}}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
        deltas = [{"type": "response.output_text.delta", "delta": word} | place for word in WORDS]
        data = [begun, *deltas, {"type": "response.completed", "response": done}]
        return events(*({**each, "sequence_number": at} for at, each in enumerate(data)), named=True)

    def embeddings(self, request: Request) -> Answer:
        texts = request.json["input"]
        count = 1 if isinstance(texts, str) else len(texts)
        numbers: list | str = [0.25, -0.5]
        if request.json.get("encoding_format") == "base64":
            numbers = base64.b64encode(struct.pack("<2f", *numbers)).decode()
        data = [{"object": "embedding", "index": at, "embedding": numbers} for at in range(count)]
        self.tell(request.model, prompt=4)
        usage = {"prompt_tokens": 4, "total_tokens": 4}
        return Answer({"object": "list", "model": request.model, "data": data, "usage": usage})

    def transcription(self, request: Request) -> Answer:
        [file] = [part for part in request.form.parts if part.filename is not None]
        # What is said is how much was heard: a file that lost a byte on the way is told by it.
        heard = f"{file.filename}: {len(file.content)} bytes"
        usage = {"type": "tokens"} | INPUT_OUTPUT
        self.tell(request.model, prompt=9, completion=5)
        if request.form.values("stream") != [b"true"]:
            return Answer({"text": heard, "usage": usage})
        delta = {"type": "transcript.text.delta", "delta": heard}
        return events(delta, {"type": "transcript.text.done", "text": heard, "usage": usage}, "[DONE]")

    def _tell(self, model: str) -> None:
        self.tell(model, prompt=9, completion=5, cached=3)


def _completion(model: str, kind: str, choices: list) -> dict:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model, "choices": choices}
