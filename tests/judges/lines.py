"""Lines of InfluxDB's protocol as JSON, one a line.

usage: lines.py FILE; the lines are separated by NUL, since texts in them may have line breaks
"""
import json
import sys

from line_protocol_parser import parse_line

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    for line in file.read().split("\0"):
        print(json.dumps(parse_line(line)))
