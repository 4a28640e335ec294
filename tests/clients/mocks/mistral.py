"""Mistral: OpenAI's shapes with additions of its own, among them the completion of a middle."""

from .openai import USAGE, OpenAI
from .server import Answer, Refused, Request


class Mistral(OpenAI):
    def __init__(self, credential: str):
        super().__init__(credential)
        self.routes["/fim/completions"] = self.fim
        del self.routes["/responses"]

    def refusal(self, status: int, message: str) -> Answer:
        return Answer({"object": "error", "message": message, "type": "made_by_the_mock", "code": str(status)}, status)

    def fim(self, request: Request) -> Answer:
        if "prompt" not in request.json:
            raise Refused(422, "prompt is missing")
        return self._complete(request)

    def chat(self, request: Request) -> Answer:
        if not request.json.get("messages"):
            raise Refused(422, "messages are missing")
        return self._complete(request)

    def _complete(self, request: Request) -> Answer:
        if request.json.get("stream"):
            # Each of Mistral's streams tells of its usage, asked or not.
            return self.streamed_chat(request.model, include_usage=True)
        return self.whole_chat(request.model, request.json.get("tools"))

    def embeddings(self, request: Request) -> Answer:
        answer = super().embeddings(request)
        return Answer(answer.content | {"id": "embd-1"})

    def transcription(self, request: Request) -> Answer:
        answer = super().transcription(request)
        self.tell(request.model, cached=3)
        return Answer(answer.content | {"model": request.model, "language": None, "usage": USAGE})
