"""Azure OpenAI, which is asked for deployments: the path names the model."""

import re
import urllib.parse

from .openai import OpenAI
from .server import Refused, Request

DEPLOYMENT = re.compile(r"/openai/deployments/([^/]+)(/.+)")


class AzureOpenAI(OpenAI):
    """The resource of whoever presents `credential` as `api-key`."""

    def __init__(self, credential: str):
        super().__init__(credential, base="/openai")

    def check_credential(self, request: Request) -> None:
        if request.credentials != {"api-key": self.credential}:
            raise Refused(401, f"Access denied due to invalid subscription key: {request.credentials}")

    def route_of(self, request: Request) -> str:
        return _deployment(request).group(2)

    def model_of(self, request: Request) -> str:
        """The deployment. A model in the body is not looked at by Azure, but is expected to be the same here."""
        deployment = urllib.parse.unquote(_deployment(request).group(1))
        if (request.header("content-type") or "").startswith("multipart/"):
            inside = [value.decode() for value in request.form.values("model")]
        else:
            inside = [request.json[key] for key in ("model",) if key in request.json]
        if inside not in ([], [deployment]):
            raise Refused(400, f"the deployment is {deployment!r}, and in the body stands {inside}")
        if not request.parameters.get("api-version"):
            raise Refused(404, "api-version is missing")
        return deployment


def _deployment(request: Request) -> re.Match:
    found = DEPLOYMENT.fullmatch(request.path)
    if not found:
        raise Refused(404, f"Resource not found: {request.path}")
    return found
