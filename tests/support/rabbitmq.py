"""Reads queues and changes what is there, by a client that others wrote (pika, Debian's
python3-pika): rabbitmq.py PORT VHOST COMMAND WORDS...

  drain QUEUE                 takes all that is there; one JSON object a message, in order
  collect QUEUE               takes all that is there, fast; one body a line, in order
  follow QUEUE                takes what comes, for ever; one body a line
  bind QUEUE EXCHANGE KEY     declares a durable queue and binds it
  declare EXCHANGE            declares a durable topic exchange
  delete EXCHANGE
"""
import json
import sys

import pika

port, vhost, command, *words = sys.argv[1:]
login = pika.PlainCredentials("admin", "of-all")
connection = pika.BlockingConnection(
    pika.ConnectionParameters("127.0.0.1", int(port), vhost, login)
)
channel = connection.channel()
if command == "drain":
    while True:
        method, properties, body = channel.basic_get(words[0], auto_ack=True)
        if method is None:
            break
        said = {name: value for name, value in vars(properties).items() if value is not None}
        print(json.dumps({"key": method.routing_key, "body": json.loads(body), **said}))
elif command == "collect":
    left = channel.queue_declare(words[0], passive=True).method.message_count
    if left:
        for _, _, body in channel.consume(words[0], auto_ack=True):
            print(body.decode())
            left -= 1
            if not left:
                break
elif command == "follow":
    for _, _, body in channel.consume(words[0], auto_ack=True):
        print(body.decode(), flush=True)
elif command == "bind":
    queue, exchange, key = words
    channel.queue_declare(queue, durable=True)
    channel.queue_bind(queue, exchange, key)
elif command == "declare":
    channel.exchange_declare(words[0], "topic", durable=True)
elif command == "delete":
    channel.exchange_delete(words[0])
connection.close()
