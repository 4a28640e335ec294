"""Amazon Bedrock's runtime."""

import base64
import json
import re
from collections.abc import Callable

from .event_stream import frame
from .openai import TEXT, WORDS
from .server import Answer, Refused, Request, VendorByPath

USAGE = {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
# What Anthropic's models answer, which Bedrock passes on as it is.
INVOKED = {"input_tokens": 9, "output_tokens": 5}


def bearer(key: str) -> Callable[[Request], None]:
    """That a request presents this API key of Bedrock."""

    def check(request: Request) -> None:
        if request.credentials != {"authorization": f"Bearer {key}"}:
            raise Refused(403, f"another key: {request.credentials}")

    return check


class Bedrock(VendorByPath):
    """The runtime for whoever passes `check`."""

    PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream|invoke|invoke-with-response-stream)")

    def __init__(self, check: Callable[[Request], None]):
        super().__init__()
        self.check_credential = check

    def refusal(self, status: int, message: str) -> Answer:
        kind = {403: "AccessDeniedException", 404: "ResourceNotFoundException", 429: "ThrottlingException"}
        name = kind.get(status, "ValidationException")
        return Answer({"message": message}, status, headers={"x-amzn-ErrorType": name})

    def answer(self, request: Request) -> Answer:
        self.tell(request.model, prompt=9, completion=5)
        match self.path_of(request).group(2):
            case "converse":
                return self._converse(request.json)
            case "converse-stream":
                return _stream(self._converse_stream())
            case "invoke":
                content = [{"type": "text", "text": TEXT}]
                return Answer({"type": "message", "role": "assistant", "content": content, "usage": INVOKED})
            case _:
                return _stream(self._invoke_stream())

    def _converse(self, asked: dict) -> Answer:
        if not asked.get("messages"):
            raise Refused(400, "messages are missing")
        content: dict = {"text": TEXT}
        if tools := asked.get("toolConfig", {}).get("tools"):
            name = tools[0]["toolSpec"]["name"]
            content = {"toolUse": {"toolUseId": "tool_1", "name": name, "input": {"knots": 7}}}
        message = {"role": "assistant", "content": [content]}
        reason = "tool_use" if "toolUse" in content else "end_turn"
        output = {"output": {"message": message}, "stopReason": reason}
        return Answer(output | {"usage": USAGE, "metrics": {"latencyMs": 1}})

    def _converse_stream(self):
        yield frame("messageStart", {"role": "assistant"})
        for word in WORDS:
            yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
        yield frame("contentBlockStop", {"contentBlockIndex": 0})
        yield frame("messageStop", {"stopReason": "end_turn"})
        yield frame("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})

    def _invoke_stream(self):
        started = {"role": "assistant", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}
        events = [{"type": "message_start", "message": started}]
        events += [{"type": "content_block_delta", "delta": {"type": "text_delta", "text": word}} for word in WORDS]
        events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}})
        for event in events:
            yield frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})


def _stream(frames) -> Answer:
    return Answer(frames, content_type="application/vnd.amazon.eventstream")
