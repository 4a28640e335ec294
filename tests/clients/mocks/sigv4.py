"""Whether a request is signed as AWS wants it: botocore signs it again as it arrived, with the secret, and compares."""

import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .server import Refused, Request

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


@dataclass
class Signed:
    """What a request has to be signed with."""

    access_key_id: str
    secret_access_key: str
    region: str
    service: str = "bedrock"
    session_token: str | None = None

    def check(self, request: Request) -> None:
        found = AUTHORIZATION.fullmatch(request.header("authorization") or "")
        if not found:
            raise Refused(403, f"not signed: {request.credentials}")
        key, day, region, service, names, signature = found.groups()
        if (key, region, service) != (self.access_key_id, self.region, self.service):
            raise Refused(403, f"signed by or for another: {found.group()}")
        if request.header("x-amz-security-token") != self.session_token:
            raise Refused(403, f"another session: {request.header('x-amz-security-token')}")
        moment = request.header("x-amz-date") or ""
        _check_moment(moment, day)
        _check_names(request, names.split(";"))
        if not hmac.compare_digest(signature, self._signature(request, names.split(";"), moment)):
            raise Refused(403, "The request signature we calculated does not match the signature you provided.")

    def _signature(self, request: Request, names: list[str], moment: str) -> str:
        query = f"?{request.query}" if request.query else ""
        again = AWSRequest(request.method, f"http://{request.header('host')}{request.path}{query}", data=request.body)
        for name in names:
            again.headers[name] = request.header(name)
        again.context["timestamp"] = moment
        oracle = SigV4Auth(Credentials(self.access_key_id, self.secret_access_key), self.service, self.region)
        canonical = oracle.canonical_request(again)
        return oracle.signature(oracle.string_to_sign(again, canonical), again)


def _check_moment(moment: str, day: str) -> None:
    try:
        signed = datetime.datetime.strptime(moment, "%Y%m%dT%H%M%S%z")
    except ValueError as error:
        raise Refused(403, f"x-amz-date: {error}") from error
    away = abs(datetime.datetime.now(datetime.UTC) - signed)
    if away > datetime.timedelta(minutes=5) or not moment.startswith(day):
        raise Refused(403, f"signed at another time: {moment}")


def _check_names(request: Request, names: list[str]) -> None:
    """That the signature covers what AWS says it must, and that a hash of the body is that of the body."""
    needed = {"host"} | {name.lower() for name, _ in request.headers if name.lower().startswith("x-amz-")}
    if missing := needed - set(names):
        raise Refused(403, f"not signed: {missing}")
    claimed = request.header("x-amz-content-sha256")
    if claimed not in (None, hashlib.sha256(request.body).hexdigest()):
        raise Refused(403, "x-amz-content-sha256 is of another body")
