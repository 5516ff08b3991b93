"""Ships as pyais writes and reads them: a JSON object a line, with the sentences of a message and
what they say.

usage: ais.py SEED COUNT
"""
import json
import random
import sys

from pyais import decode
from pyais.encode import encode_dict

chance = random.Random(int(sys.argv[1]))
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"


def text(most):
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(most + 1))).strip()


def place(kind):
    known = chance.random() < 0.8
    fields = {
        "speed": chance.randrange(1024) / 10,
        "lon": chance.uniform(-180, 180) if known else 181,
        "lat": chance.uniform(-90, 90) if known else 91,
        "course": chance.randrange(3601) / 10,
        "heading": chance.choice([chance.randrange(360), 511]),
    }
    if kind < 4:
        fields["status"] = chance.randrange(16)
    return fields


def ship(kind):
    # those from 98 on have something else in type 24
    fields = {"msg_type": kind, "mmsi": f"{chance.randrange(1, 98 * 10**7):09}"}
    if kind in (1, 2, 3, 18, 19):
        fields |= place(kind)
    if kind in (5, 19):
        fields |= {"shipname": text(20), "ship_type": chance.randrange(100)}
    if kind == 5:
        fields |= {
            "imo": chance.randrange(10**7),
            "callsign": text(7),
            "draught": chance.randrange(256) / 10,
            "destination": text(20),
        }
    if kind == 24:
        fields["partno"] = chance.randrange(2)
        if fields["partno"] == 0:
            fields["shipname"] = text(20)
        else:
            fields |= {"ship_type": chance.randrange(100), "callsign": text(7)}
    return fields


for _ in range(int(sys.argv[2])):
    fields = ship(chance.choice([1, 2, 3, 5, 18, 19, 24]))
    lines = encode_dict(fields, sentence_type=chance.choice(["VDM", "VDO"]))
    said = decode(*lines).asdict(enum_as_int=True)
    said = {name: value for name, value in said.items() if not isinstance(value, bytes)}
    print(json.dumps({"lines": lines, "said": said}))
