"""Google's token endpoint: a service account's signed assertion against an access token (RFC 7523).

Needs `cryptography` and `google-auth`, which come with Google's client library.
"""

import json
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from .server import Answer, Refused, Request, Vendor

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
EMAIL = "keel@project.iam.gserviceaccount.example"


class GoogleTokens(Vendor):
    """Knows one service account, whose key is made here."""

    def __init__(self):
        super().__init__()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.handed_out: list[str] = []

    @property
    def service_account(self) -> str:
        """The account's key as Google's console gives it to be downloaded."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "keel",
                "private_key_id": "key-1",
                "private_key": pem.decode(),
                "client_email": EMAIL,
                "client_id": "1",
                "token_uri": f"{self.url}/token",
            }
        )

    def check_credential(self, request: Request) -> None:
        """The assertion is the credential."""

    def model_of(self, request: Request) -> None:
        return None

    def refusal(self, status: int, message: str) -> Answer:
        return Answer({"error": "invalid_grant", "error_description": message}, status)

    def answer(self, request: Request) -> Answer:
        form = urllib.parse.parse_qs(request.body.decode())
        if request.path != "/token" or form.get("grant_type") != [GRANT]:
            raise Refused(400, f"{request.path}: {form}")
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            # Google's own reader: the signature, the times and the audience.
            claims = jwt.decode(form["assertion"][0], certs=public, audience=f"{self.url}/token")
        except (KeyError, ValueError) as error:
            raise Refused(400, f"the assertion: {error}") from error
        if claims["iss"] != EMAIL or SCOPE not in claims.get("scope", "").split():
            raise Refused(400, f"the claims: {claims}")
        token = f"ya29.number-{len(self.handed_out)}"
        self.handed_out.append(token)
        return Answer({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
