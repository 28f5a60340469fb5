"""Frames, as ``host/loader/src/engine/wire.rs`` writes them.

A frame is the length of what follows (four bytes, the lowest first), a byte for its kind, and the
content. What is in it only the program knows, beside the few numbers that are read here.
"""

import struct
from typing import NamedTuple, Optional, Protocol

MAP, CANCEL, HELLO, OUTCOME, FAILED, SPEC, TASK, DONE, ERROR, PLAN, OPEN, BATCH, FINISH = range(
    1, 14
)


class Reads(Protocol):
    """What frames are read from."""

    def read(self, size: int, /) -> bytes: ...


class Writes(Protocol):
    """What frames are written to."""

    def write(self, data: bytes, /) -> Optional[int]: ...

    def flush(self) -> None: ...


class Frame(NamedTuple):
    kind: int
    content: bytes


def read(stream: Reads) -> Optional[Frame]:
    """Reads a frame; ``None`` at the end of the stream, also within a frame."""
    head = stream.read(5)
    if len(head) < 5:
        return None
    length, kind = struct.unpack("<IB", head)
    content = stream.read(length - 1)
    return Frame(kind, content) if len(content) == length - 1 else None


def write(stream: Writes, kind: int, *content: bytes) -> None:
    """Writes a frame, and sends it off."""
    stream.write(struct.pack("<IB", 1 + sum(map(len, content)), kind))
    for part in content:
        stream.write(part)
    stream.flush()


def read_map(content: bytes) -> tuple[int, bytes, list[bytes]]:
    """The number of a map, its spec, and its tasks."""
    (number,) = struct.unpack_from("<Q", content)
    parts, at = [], 8
    while at < len(content):
        (length,) = struct.unpack_from("<I", content, at)
        parts.append(content[at + 4 : at + 4 + length])
        at += 4 + length
    return number, parts[0], parts[1:]


def outcome(number: int, place: int) -> bytes:
    """What stands before the outcome of a task."""
    return struct.pack("<QI", number, place)


def number(of_map: int) -> bytes:
    """What stands before the failure of a map."""
    return struct.pack("<Q", of_map)


def hello(tasks_at_once: int) -> bytes:
    """The content of the first frame."""
    return struct.pack("<I", tasks_at_once)
