"""Whether sentences have the checksum that NMEA wants, one `True` or `False` a sentence.

usage: sentences.py SENTENCE...
"""
import sys

from pynmea2 import NMEASentence

for sentence in sys.argv[1:]:
    body, checksum = sentence.strip().lstrip("$").split("*")
    print(NMEASentence.checksum(body) == int(checksum, 16))
