"""Frames of `application/vnd.amazon.eventstream`.

Layout (AWS SDKs, botocore/eventstream.py): length of all and of the headers, a CRC of both, headers, payload, a CRC of
all; numbers are big-endian, CRCs those of zlib.
"""

import json
import struct
import zlib

TEXT_HEADER = 7


def frame(kind: str, payload: dict) -> bytes:
    """An event of this kind."""
    data = json.dumps(payload).encode()
    headers = _header(":event-type", kind)
    headers += _header(":content-type", "application/json") + _header(":message-type", "event")
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    return struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", TEXT_HEADER, len(value)) + value.encode()
