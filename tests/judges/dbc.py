"""DBC files and frames that cantools makes, with what it reads in them, as JSON, one file a line.

usage: dbc.py SEED COUNT
"""
import json
import random
import sys

from cantools.database import Error
from cantools.database.can import Database, Message, Signal
from cantools.database.conversion import BaseConversion

chance = random.Random(int(sys.argv[1]))


def signal(name, length, mux):
    order = chance.choice(["little_endian", "big_endian"])
    is_float = length in (32, 64) and chance.random() < 0.4
    bits = chance.choice([1, 2, 4, 7, 8, 12, 16, 24, 32, 32, 63, 64])
    bits = bits if not is_float else chance.choice([32, 64])
    scale = chance.choice([1, 1, 2, 0.5, 0.125, 0.1, 1e-06, 0.00390625, -0.25, 5])
    offset = chance.choice([0, 0, 0, -40, -273.15, 12.5, -125, 1000000])
    return Signal(
        name,
        chance.randrange(8 * length),
        bits,
        order,
        is_signed=not is_float and chance.random() < 0.5,
        conversion=BaseConversion.factory(scale, offset, is_float=is_float),
        unit=chance.choice(["", "km/h", "°C", 'a "b"; c']),
        comment=chance.choice([None, 'says "so";\nBO_ 7 X: 8 A']),
        receivers=["B"],
        **mux,
    )


def fits(head, signals):
    try:
        return Message(signals=signals, senders=["A"], strict=True, **head)
    except Error:
        return None


def message(number):
    is_wide = chance.random() < 0.5
    head = {
        "frame_id": 0x10000000 + number * 0x100 if is_wide else 0x100 + number,
        "name": f"M{number}",
        "length": chance.choice([1, 4, 8, 8, 8, 12, 64]),
        "is_extended_frame": is_wide,
        "is_fd": True,
    }
    signals, is_shared = [], chance.random() < 0.5 and head["length"] >= 4
    if is_shared:
        signals.append(Signal("Mux", 0, 3, "little_endian", is_multiplexer=True))
    for at in range(12):
        mux = {}
        if is_shared and chance.random() < 0.7:
            mux = {"multiplexer_ids": [chance.randrange(8)], "multiplexer_signal": "Mux"}
        more = signal(f"S{number}_{at}", head["length"], mux)
        if fits(head, signals + [more]):
            signals.append(more)
    return fits(head, signals)


def frame(message):
    data = bytes(chance.choice([0, 255, chance.randrange(256)]) for _ in range(message.length))
    try:
        said = message.decode(data, decode_choices=False)
    except Error:
        # nothing is multiplexed under this number
        return None
    if not all(value == value and abs(value) < 1e300 for value in said.values()):
        return None
    wide = message.is_extended_frame
    return {"id": message.frame_id, "wide": wide, "data": data.hex(), "said": said}


for _ in range(int(sys.argv[2])):
    made = [message(number) for number in range(10)]
    frames = [frame(each) for each in made if each.signals for _ in range(20)]
    text = Database(messages=made, strict=True).as_dbc_string()
    print(json.dumps({"dbc": text, "frames": [each for each in frames if each]}))
