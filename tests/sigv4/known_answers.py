#!/usr/bin/env python3
"""Prints what botocore's SigV4Auth signs, as the known answers that src/credential is tested with.

    python3 -m venv target/botocore && target/botocore/bin/pip install botocore==1.43.127
    target/botocore/bin/python tests/sigv4/known_answers.py > tests/sigv4/known_answers.json

The keys are those of AWS's documentation; they belong to nobody.
"""

import datetime
import json
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime.datetime(2015, 8, 30, 12, 36, 0)
HOST = "bedrock-runtime.us-east-1.amazonaws.com"
JSON = {"Content-Type": "application/json"}
BODY = '{"messages":[{"role":"user","content":[{"text":"Grüß Gott"}]}]}'

# name, service, region, method, host, path and query, headers, body, session token
CASES = [
    ("AWS's own get-vanilla", "service", "us-east-1", "GET", "example.amazonaws.com", "/", {}, "", None),
    ("a plain model", "bedrock", "us-east-1", "POST", HOST, "/model/amazon.nova-lite/converse", JSON, BODY, None),
    ("a colon, encoded", "bedrock", "us-east-1", "POST", HOST,
     "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse", JSON, BODY, None),
    ("a colon as it is", "bedrock", "us-east-1", "POST", HOST,
     "/model/anthropic.claude-3-5-sonnet-20240620-v1:0/converse", JSON, BODY, None),
    ("an ARN, encoded", "bedrock", "eu-central-1", "POST", "bedrock-runtime.eu-central-1.amazonaws.com",
     "/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2Feu.amazon.nova-lite-v1%3A0"
     "/converse-stream", JSON, BODY, None),
    ("a space and a percent sign", "bedrock", "us-east-1", "POST", HOST, "/model/a%20b%2525/invoke", JSON, BODY, None),
    ("a tilde and more marks", "bedrock", "us-east-1", "POST", HOST, "/model/~a_b.c-d@e+f,g;h=i/invoke", JSON, BODY,
     None),
    ("a query", "bedrock", "us-east-1", "GET", "bedrock.us-east-1.amazonaws.com",
     "/foundation-models?byProvider=anthropic&byOutputModality=TEXT&a=b%20c&A=%3A%2F&empty=", {}, "", None),
    ("a path to be normalised", "bedrock", "us-east-1", "POST", HOST, "/model//a/./b/../c/", JSON, BODY, None),
    ("a query that is not encoded", "bedrock", "us-east-1", "GET", HOST, "/async-invoke?flag&b=~x-._&a=2&a=1", {}, "", None),
    ("a session token", "bedrock", "us-east-1", "POST", HOST, "/model/amazon.nova-lite/invoke", JSON, BODY,
     "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwt"
     "hAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNV"
     "XAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
     ),
    ("a port, and another x-amz- header", "bedrock", "us-east-1", "POST", "127.0.0.1:8080", "/model/m/converse",
     {**JSON, "X-Amz-Target": " a  b "}, "{}", None),
]


def signed(service, region, method, host, path, headers, body, token):
    request = AWSRequest(method=method, url=f"https://{host}{path}", headers={"Host": host, **headers},
                         data=body.encode())
    with mock.patch("botocore.auth.get_current_datetime", lambda: NOW):
        SigV4Auth(Credentials(KEY_ID, SECRET, token), service, region).add_auth(request)
    names = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token")
    return {name.lower(): request.headers[name] for name in names if name in request.headers}


def main():
    fields = ("name", "service", "region", "method", "host", "path", "headers", "body", "token")
    answers = [dict(zip(fields, case)) | {"signed": signed(*case[1:])} for case in CASES]
    print(json.dumps({"key_id": KEY_ID, "secret": SECRET, "at": 1440938160, "answers": answers}, indent=1))


main()
