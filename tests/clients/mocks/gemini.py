"""Google's models: the Gemini API, and the same below a project in Vertex AI."""

import re

from .openai import TEXT, WORDS
from .server import Answer, Refused, Request, VendorByPath, events

USAGE = {
    "promptTokenCount": 9,
    "candidatesTokenCount": 5,
    "totalTokenCount": 14,
    "cachedContentTokenCount": 3,
}


class Gemini(VendorByPath):
    """The Gemini API for whoever presents `credential` as `x-goog-api-key`."""

    PATH = re.compile(r"/v1(?:beta)?/models/([^/:]+):([A-Za-z]+)")

    def __init__(self, credential: str = ""):
        super().__init__()
        self.credential = credential

    def check_credential(self, request: Request) -> None:
        if request.credentials != {"x-goog-api-key": self.credential} or "key" in request.parameters:
            raise Refused(401, f"API key not valid: {request.credentials}")

    def refusal(self, status: int, message: str) -> Answer:
        kind = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
        error = {"code": status, "message": message, "status": kind.get(status, "INVALID_ARGUMENT")}
        return Answer({"error": error}, status)

    def answer(self, request: Request) -> Answer:
        verb = self.path_of(request).group(2)
        if verb == "generateContent":
            self._tell(request.model)
            return Answer(self._whole(request))
        if verb == "streamGenerateContent":
            self._tell(request.model)
            return self._streamed(request)
        if verb == "countTokens":
            return Answer({"totalTokens": 9})
        if verb == "batchEmbedContents":
            return self._embeddings(request)
        raise Refused(404, f"no such method: {verb}")

    def _whole(self, request: Request) -> dict:
        if not request.json.get("contents"):
            raise Refused(400, "contents are missing")
        part: dict = {"text": TEXT}
        if tools := request.json.get("tools"):
            part = {"functionCall": {"name": tools[0]["functionDeclarations"][0]["name"], "args": {"knots": 7}}}
        return _piece(request.model, part, "STOP") | {"usageMetadata": USAGE}

    def _streamed(self, request: Request) -> Answer:
        if request.parameters.get("alt") != ["sse"]:
            raise Refused(400, "this mock streams server-sent events only: alt=sse")
        *first, last = WORDS
        # As Gemini does: what was counted so far is in each piece, and only the last one has all of it.
        so_far = {"usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}}
        pieces = [_piece(request.model, {"text": word}) | so_far for word in first]
        pieces.append(_piece(request.model, {"text": last}, "STOP") | {"usageMetadata": USAGE})
        return events(*pieces)

    def _embeddings(self, request: Request) -> Answer:
        each = request.json["requests"]
        # Google: "must match the model specified in BatchEmbedContentsRequest.model".
        if others := {one["model"] for one in each} - {f"models/{request.model}"}:
            raise Refused(400, f"the path is of {request.model!r}, and the requests are for {others}")
        return Answer({"embeddings": [{"values": [0.25, -0.5]} for _ in each]})

    def _tell(self, model: str) -> None:
        self.tell(model, prompt=9, completion=5, cached=3)


class VertexAI(Gemini):
    """Vertex AI for whoever presents a token that `is_known` says was handed out."""

    PATH = re.compile(r"/v1/projects/keel/locations/europe-west4/publishers/google/models/([^/:]+):([A-Za-z]+)")

    def __init__(self, is_known):
        super().__init__()
        self.is_known = is_known

    def check_credential(self, request: Request) -> None:
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        if set(request.credentials) != {"authorization"} or scheme != "Bearer" or not self.is_known(token):
            raise Refused(401, f"invalid authentication credentials: {request.credentials}")


def _piece(model: str, part: dict, finish: str | None = None) -> dict:
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "modelVersion": model, "responseId": "r1"}
