"""Frames of J1939 that one library sends, with what another reads in them, as JSON, one message a
line.

usage: j1939.py SEED COUNT
"""
import json
import random
import re
import sys

import bitstring
import j1939.j1939_21 as j1939_21
from j1939 import DTC
from pretty_j1939.describe import get_describer

chance = random.Random(int(sys.argv[1]))

# what the catalogue that comes with it has of weir's table, but for the voltage of the battery: it
# has SPN 168 where SAE has 167
GROUPS = {
    0xF004: {
        "Engine Speed": "can.engine.rpm",
        "Actual Engine - Percent Torque": "can.engine.torque",
    },
    0xFEE0: {"Total Vehicle Distance": "can.vehicle.mileage"},
    0xFEEE: {
        "Engine Coolant Temperature": "can.engine.coolant.temperature",
        "Fuel Temperature": "can.fuel.temperature",
        "Engine Oil Temperature 1": "can.engine.oil.temperature",
    },
    0xFEEF: {"Engine Oil Pressure": "can.engine.oil.pressure"},
    0xFEF1: {"Wheel-Based Vehicle Speed": "can.vehicle.speed"},
}
DM1 = 0xFECA
LAMPS = {
    "Malfunction Indicator Lamp Status": "can.mil.status",
    "Red Stop Lamp Status": "can.stop.lamp.status",
    "Amber Warning Lamp Status": "can.warning.lamp.status",
    "Protect Lamp Status": "can.protect.lamp.status",
}
# of the old method there is none: which SPN it is nobody can tell
CODE = r"SPN (\d+) .*FMI (\d+), OC (\d+)$"


class Clock:
    now = 1000.0

    def time(self):
        return self.now


clock = Clock()
j1939_21.time = clock


class Bus:
    """A sender and a receiver that answer each other, and all that passes between them."""

    def __init__(self):
        self.frames = []
        self.waiting = []
        self.nodes = [self.node(), self.node()]

    def node(self):
        return j1939_21.J1939_21(
            self.send, lambda: None, lambda *_: None, chance.choice([1, 3, 255]), None, None,
            lambda _: True,
        )

    def send(self, id, extended, data, **_):
        self.frames.append((id, bytes(data)))
        self.waiting.append((id, bytearray(data)))

    def carry(self, source, receiver, data):
        """By RTS and CTS to a receiver, by BAM to all."""
        is_for_all = receiver == 0xFF
        group = (0xFE, 0xCA) if is_for_all else (0xEF, receiver)
        self.nodes[0].send_pgn(0, *group, 6, source, list(data), None, None)
        while self.nodes[0]._snd_buffer:
            for id, sent in self.waiting or []:
                if id & 0xFF == source:
                    self.nodes[1].notify(id, sent, clock.now)
                else:
                    self.nodes[0].notify(id, sent, clock.now)
            self.waiting = []
            clock.now += 0.06
            for node in self.nodes:
                node.async_job_thread(clock.now)
        return [relabelled(*frame) for frame in self.frames]


def relabelled(id, data):
    """What it sends to one receiver can only be of groups that have one."""
    if id >> 16 & 0xFF == 0xEC and data[5:] == b"\x00\xef\x00":
        data = data[:5] + b"\xca\xfe\x00"
    return id, data


describe = get_describer(describe_link_layer=False, describe_transport_layer=False)


def said(id, data):
    """What a whole message says, under the names of weir; None where it is not available."""
    told = describe(bitstring.Bits(bytes=data), id)
    if id >> 8 & 0xFFFF == DM1:
        return said_of_faults(id & 0xFF, told)
    wanted = {name: told.get(theirs, "") for theirs, name in GROUPS[id >> 8 & 0xFFFF].items()}
    numbers = {name: re.match(r"(-?[\d.e+-]+) \[", text) for name, text in wanted.items()}
    return {name: number and float(number[1]) for name, number in numbers.items()}


def said_of_faults(source, told):
    states = {"On": True, "Off": False}
    lamps = {name: states.get(told.get(theirs)) for theirs, name in LAMPS.items()}
    codes = [re.match(CODE, text) for name, text in told.items() if name.startswith("DTC ")]
    codes = [tuple(int(number) for number in code.groups()) for code in codes if code]
    return lamps | {
        "can.dtc": [
            {"spn": spn, "fmi": fmi, "count": count, "source": source}
            for spn, fmi, count in codes
            if (spn, fmi) != (0, 0) and (spn, fmi, count) != (0x7FFFF, 31, 127)
        ]
    }


def single():
    group, source = chance.choice(list(GROUPS)), chance.randrange(254)
    id = chance.randrange(8) << 26 | group << 8 | source
    byte = lambda: chance.choice([0, 0xFA, 0xFB, 0xFD, 0xFE, 0xFF] + [chance.randrange(256)] * 12)
    data = bytes(byte() for _ in range(8))
    return {"frames": [(id, data.hex())], "said": said(id, data)}


def code():
    number = DTC(spn=chance.randrange(1 << 19), fmi=chance.randrange(32), oc=chance.randrange(127))
    number = number.dtc | (chance.random() < 0.1) << 31
    return chance.choice([number] * 8 + [0, 0xFFFFFFFF]).to_bytes(4, "little")


def faults():
    lamps = bytes([chance.randrange(256), chance.randrange(256)])
    return lamps + b"".join(code() for _ in range(chance.randrange(2, 15)))


def transfers():
    """Two at once, to all or to one."""
    first, second = chance.sample(range(0x80), 2)
    sent = {source: faults() for source in sorted([first, second])}
    ways = [
        Bus().carry(source, chance.choice([0xFF, 0xFF, chance.randrange(0x80, 254)]), data)
        for source, data in sent.items()
    ]
    frames = []
    while any(ways):
        frames.append(chance.choice([way for way in ways if way]).pop(0))
    both = [said(0x18000000 | DM1 << 8 | source, data) for source, data in sent.items()]
    lamps = {name: max((it[name] for it in both if it[name] is not None), default=None)
             for name in LAMPS.values()}
    codes = [code for it in both for code in it["can.dtc"]]
    return {
        "frames": [(id, data.hex()) for id, data in frames],
        "said": lamps | {"can.dtc": codes},
    }


for _ in range(int(sys.argv[2])):
    for _ in range(20):
        print(json.dumps(single()))
    print(json.dumps(transfers()))
