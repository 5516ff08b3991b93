"""Google's own client: one request to publish, over HTTPS to a server on loopback.

usage: pubsub_client.py PORT CA ACCOUNT
"""
import os
import sys

port, ca, account = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = ca

from google.oauth2 import service_account
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

client = PublisherClient(
    credentials=service_account.Credentials.from_service_account_file(account),
    transport="rest",
    client_options={"api_endpoint": f"localhost:{port}"},
)
messages = [
    PubsubMessage(data=b"{}", attributes={"ident": "a", "id": f"7:{n}"}, ordering_key="a")
    for n in (1, 2)
]
answer = client.publish(topic="projects/p-1/topics/t-1", messages=messages, retry=None, timeout=9)
assert len(answer.message_ids) == 2, answer
