"""A server that judges requests to publish by Google's own libraries: the token by google-auth and
PyJWT, the body by the protobuf of Pub/Sub. Says what it hears as a line of JSON each; `port` first.

usage: pubsub.py CERTIFICATE CERTIFICATE_KEY ACCOUNT
"""
import base64
import http.server
import json
import ssl
import sys

import google.auth.jwt
import jwt
from cryptography.hazmat.primitives import serialization
from google.protobuf import json_format
from google.pubsub_v1 import PublishRequest

certificate, certificate_key, account = sys.argv[1:]
with open(account) as file:
    account = json.load(file)
private = serialization.load_pem_private_key(account["private_key"].encode(), None)
public = private.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
AUDIENCE = "https://pubsub.googleapis.com/"


def say(**what):
    print(json.dumps(what), flush=True)


def judge_token(token):
    """Its head and its claims, as two libraries agree on them."""
    claims = google.auth.jwt.decode(token, certs=public, audience=AUDIENCE)
    again = jwt.decode(token, public, algorithms=["RS256"], audience=AUDIENCE)
    assert claims == again, (claims, again)
    assert claims["iss"] == claims["sub"] == account["client_email"], claims
    return jwt.get_unverified_header(token), claims


def judge_body(body):
    """Its messages: what protobuf does not know or of another kind is an error."""
    request = json_format.Parse(body, PublishRequest.pb(PublishRequest()))
    keys = {message.ordering_key for message in request.messages}
    assert len(keys) == 1, keys
    strict = [base64.b64decode(it["data"], validate=True) for it in json.loads(body)["messages"]]
    assert strict == [message.data for message in request.messages]
    return [
        {
            "data": message.data.decode(),
            "attributes": dict(message.attributes),
            "ordering_key": message.ordering_key,
        }
        for message in request.messages
    ]


class Judge(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        messages = []
        try:
            head, claims = judge_token(self.headers["Authorization"].removeprefix("Bearer "))
        except Exception as error:
            say(refused=repr(error))
            return self.answer(401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}})
        try:
            messages = judge_body(body)
        except Exception as error:
            say(refused=repr(error))
            return self.answer(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}})
        say(
            request={
                "path": self.path.split("?")[0],
                "content_type": self.headers["Content-Type"],
                "token_head": head,
                "claims": claims,
                "messages": messages,
            }
        )
        self.answer(200, {"messageIds": [str(n) for n in range(len(messages))]})

    def answer(self, status, what):
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Judge)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, certificate_key)
server.socket = context.wrap_socket(server.socket, server_side=True)
say(port=server.server_address[1])
server.serve_forever()
