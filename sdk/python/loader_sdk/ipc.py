"""Arrow IPC messages as the contract has them: a schema, or a record batch without its schema.

This module knows only what crosses the sandbox: flat columns, uncompressed, little-endian, metadata version 5. The
tables and the numbers of their slots are those of <https://github.com/apache/arrow/tree/main/format> (Message.fbs,
Schema.fbs). Slot n of a table is at offset 4 + 2 * n. A message is -1 and the length of its header, the header, and a
body of buffers.
"""

import struct
from typing import NamedTuple

from flatbuffers import Builder, encode, packer
from flatbuffers import number_types as N
from flatbuffers.table import Table

from .columns import Column, buffer_count, write
from .types import decimal_of, unknown_type

_V5 = 4
_SCHEMA = 1
_RECORD_BATCH = 3
# Bodies and their buffers start at multiples of this.
_ALIGNMENT = 64


class Field(NamedTuple):
    name: str
    type: str
    nullable: bool = True


def decode_schema(message: bytes) -> list[Field]:
    """Reads a schema message."""
    header, _ = _open(message, _SCHEMA)
    fields = [_table(header, at) for at in _elements(header, 1, 4)]
    return [Field(_string(field, 0), _read_type(field), _get(field, 1, N.Uint8Flags) != 0) for field in fields]


def encode_schema(fields: list[Field]) -> bytes:
    """Writes a schema message."""
    builder = Builder(1024)
    offsets = [_write_field(builder, *field) for field in fields]
    at = _vector(builder, offsets)
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(1, at, 0)
    return _frame(builder, _SCHEMA, builder.EndObject(), [])


def decode_batch(message: bytes, types: list[str]) -> tuple[int, list[Column]]:
    """Reads a record batch message whose columns have these types: the number of rows, and the columns."""
    header, body = _open(message, _RECORD_BATCH)
    rows = _get(header, 0, N.Int64Flags)
    nodes = [_pair(header, at) for at in _elements(header, 1, 16)]
    buffers = (_pair(header, at) for at in _elements(header, 2, 16))
    columns = []
    for type_name, (_, nulls) in zip(types, nodes, strict=True):
        parts = [next(buffers) for _ in range(buffer_count(type_name))]
        columns.append(Column(type_name, rows, nulls, [body[start : start + length] for start, length in parts]))
    return rows, columns


def encode_batch(rows: int, columns: list[tuple[str, list]]) -> bytes:
    """Writes a record batch message of `rows` rows from types and values; see `Column.values` for what values are."""
    written = [write(type_name, values) for type_name, values in columns]
    body = [buffer for _, buffers in written for buffer in buffers]
    places, end = [], 0
    for buffer in body:
        places.append((end, len(buffer)))
        end += _padded(len(buffer))
    builder = Builder(1024)
    buffers = _pairs(builder, places)
    nodes = _pairs(builder, [(rows, nulls) for nulls, _ in written])
    builder.StartObject(4)
    builder.PrependInt64Slot(0, rows, 0)
    builder.PrependUOffsetTRelativeSlot(1, nodes, 0)
    builder.PrependUOffsetTRelativeSlot(2, buffers, 0)
    return _frame(builder, _RECORD_BATCH, builder.EndObject(), body)


def _open(message: bytes, expected: int) -> tuple[Table, memoryview]:
    start = 8 + struct.unpack_from("<i", message, 4)[0]
    head = message[8:start]
    root = Table(head, encode.Get(packer.uoffset, head, 0))
    kind = _get(root, 1, N.Uint8Flags)
    if kind != expected:
        raise ValueError(f"message has header {kind} in place of {expected}")
    return _table(root, root.Pos + root.Offset(8)), memoryview(message)[start:]


def _frame(builder: Builder, kind: int, header: int, body: list[bytes]) -> bytes:
    body_bytes = sum(_padded(len(buffer)) for buffer in body)
    builder.StartObject(5)
    builder.PrependInt64Slot(3, body_bytes, 0)
    builder.PrependUOffsetTRelativeSlot(2, header, 0)
    builder.PrependInt16Slot(0, _V5, 0)
    builder.PrependUint8Slot(1, kind, 0)
    builder.Finish(builder.EndObject())
    head = builder.Output()
    start = _padded(8 + len(head))
    parts = [struct.pack("<ii", -1, start - 8), head, bytes(start - 8 - len(head))]
    for buffer in body:
        parts += [buffer, bytes(_padded(len(buffer)) - len(buffer))]
    return b"".join(parts)


def _padded(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT


def _read_type(field: Table) -> str:
    number, at = _get(field, 2, N.Uint8Flags), _table(field, field.Pos + field.Offset(10))
    match number:
        case 2 if _get(at, 1, N.Uint8Flags):
            return f"int{_get(at, 0, N.Int32Flags)}"
        case 3 if precision := _get(at, 0, N.Int16Flags):
            return "float32" if precision == 1 else "float64"
        case 4:
            return "binary"
        case 5:
            metadata = (_table(field, at) for at in _elements(field, 6, 4))
            return "number" if any(_string(entry, 0) == "loader.logical" for entry in metadata) else "utf8"
        case 6:
            return "bool"
        case 7:
            return f"decimal({_get(at, 0, N.Int32Flags)},{_get(at, 1, N.Int32Flags)})"
        case 8 if _get(at, 0, N.Int16Flags, 1) == 0:
            return "date32"
        case 10 if _get(at, 0, N.Int16Flags) == 2 and not at.Offset(6):
            return "timestamp"
    raise ValueError(f"column {_string(field, 0)!r} has a type that does not cross the sandbox")


def _write_field(builder: Builder, name: str, type_name: str, nullable: bool) -> int:
    name_at, children = builder.CreateString(name), _vector(builder, [])
    number, type_at = _write_type(builder, type_name)
    builder.StartObject(7)
    builder.PrependUOffsetTRelativeSlot(0, name_at, 0)
    builder.PrependBoolSlot(1, nullable, False)
    builder.PrependUint8Slot(2, number, 0)
    builder.PrependUOffsetTRelativeSlot(3, type_at, 0)
    builder.PrependUOffsetTRelativeSlot(5, children, 0)
    return builder.EndObject()


def _write_type(builder: Builder, type_name: str) -> tuple[int, int]:
    """The type's number in the union `Type`, and its own table."""
    builder.StartObject(3)
    if decimal := decimal_of(type_name):
        number = 7
        for slot, value in enumerate([*decimal, 128]):
            builder.PrependInt32Slot(slot, value, 0)
    else:
        number = _write_simple_type(builder, type_name)
    return number, builder.EndObject()


def _write_simple_type(builder: Builder, type_name: str) -> int:
    match type_name:
        case "int8" | "int16" | "int32" | "int64":
            builder.PrependInt32Slot(0, int(type_name[3:]), 0)
            builder.PrependBoolSlot(1, True, False)
            return 2
        case "float32" | "float64":
            builder.PrependInt16Slot(0, 1 if type_name == "float32" else 2, 0)
            return 3
        case "binary":
            return 4
        case "utf8" | "number":
            return 5
        case "bool":
            return 6
        case "date32":
            builder.PrependInt16Slot(0, 0, 1)
            return 8
        case "timestamp":
            builder.PrependInt16Slot(0, 2, 0)
            return 10
    raise unknown_type(type_name)


def _vector(builder: Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _pairs(builder: Builder, pairs: list[tuple[int, int]]) -> int:
    """A vector of structs of two 64-bit numbers."""
    # A flatbuffer is built from its end, so elements and their parts are added in reverse.
    builder.StartVector(16, len(pairs), 8)
    for first, second in reversed(pairs):
        builder.PrependInt64(second)
        builder.PrependInt64(first)
    return builder.EndVector()


def _get(table: Table, slot: int, flags, default: int = 0) -> int:
    return table.GetSlot(4 + 2 * slot, default, flags)


def _string(table: Table, slot: int) -> str:
    offset = table.Offset(4 + 2 * slot)
    return table.String(table.Pos + offset).decode() if offset else ""


def _table(table: Table, at: int) -> Table:
    """The table that an offset at `at` leads to."""
    return Table(table.Bytes, table.Indirect(at))


def _elements(table: Table, slot: int, size: int) -> list[int]:
    """Where the elements of a vector are."""
    offset = table.Offset(4 + 2 * slot)
    if not offset:
        return []
    start = table.Vector(offset)
    return [start + size * index for index in range(table.VectorLen(offset))]


def _pair(table: Table, at: int) -> tuple[int, int]:
    return struct.unpack_from("<qq", table.Bytes, at)
