/**
 * Arrow IPC messages as the contract has them: a schema, or a record batch without its schema.
 *
 * This module knows only what crosses the sandbox: flat columns, uncompressed, little-endian, metadata version 5.
 * The tables and the numbers of their slots are those of <https://github.com/apache/arrow/tree/main/format>
 * (Message.fbs, Schema.fbs). A message is -1 and the length of its header, the header, and a body of buffers.
 */
import { Builder, ByteBuffer } from "flatbuffers";

import { Column, layout } from "./columns.js";
import { decimalOf, unknownType } from "./types.js";

const V5 = 4;
const SCHEMA = 1;
const RECORD_BATCH = 3;
/** Bodies and their buffers start at multiples of this. */
const ALIGNMENT = 64;

/** For each type its number in the union `Type`, and a function that fills the slots of the type's own table. */
const TYPES = {
  bool: [6],
  int8: [2, int(8)],
  int16: [2, int(16)],
  int32: [2, int(32)],
  int64: [2, int(64)],
  float32: [3, (builder) => builder.addFieldInt16(0, 1, 0)],
  float64: [3, (builder) => builder.addFieldInt16(0, 2, 0)],
  binary: [4],
  utf8: [5],
  number: [5],
  date32: [8, (builder) => builder.addFieldInt16(0, 0, 1)],
  timestamp: [10, (builder) => builder.addFieldInt16(0, 2, 0)],
};

/** Reads a schema message: an array of `{name, type, nullable}`. */
export function decodeSchema(bytes) {
  const { header } = open(bytes, SCHEMA);
  return header.tables(1).map((field) => {
    const name = field.string(0);
    return { name, type: readType(field, name), nullable: field.uint8(1) !== 0 };
  });
}

/** Writes a schema message. */
export function encodeSchema(fields) {
  const builder = new Builder(1024);
  const offsets = fields.map(({ name, type, nullable }) => {
    const nameAt = builder.createString(name);
    const children = vector(builder, []);
    const [number, at] = writeType(builder, type);
    builder.startObject(7);
    builder.addFieldOffset(0, nameAt, 0);
    builder.addFieldInt8(1, nullable ? 1 : 0, 0);
    builder.addFieldInt8(2, number, 0);
    builder.addFieldOffset(3, at, 0);
    builder.addFieldOffset(5, children, 0);
    return builder.endObject();
  });
  const list = vector(builder, offsets);
  builder.startObject(4);
  builder.addFieldOffset(1, list, 0);
  return frame(builder, SCHEMA, builder.endObject(), []);
}

/** Reads a record batch message whose columns have these types: `{rows, columns}`. */
export function decodeBatch(bytes, types) {
  const { header, body } = open(bytes, RECORD_BATCH);
  const rows = Number(header.int64(0));
  const nodes = header.pairs(1);
  const buffers = header.pairs(2);
  const columns = types.map((type, index) => {
    const parts = buffers
      .splice(0, layout(type).buffers)
      .map(([start, length]) => body.subarray(start, start + length));
    return new Column(type, rows, nodes[index][1], parts);
  });
  return { rows, columns };
}

/** Writes a record batch message of `rows` rows from `{type, values}`; see `Column.values` for what values are. */
export function encodeBatch(rows, columns) {
  const written = columns.map(({ type, values }) => layout(type).write(values));
  const builder = new Builder(1024);
  let end = 0;
  const places = [];
  const body = written.flatMap((column) => column.buffers);
  for (const buffer of body) {
    places.push([end, buffer.byteLength]);
    end += padded(buffer.byteLength);
  }
  const buffers = pairs(builder, places);
  const nodes = pairs(
    builder,
    written.map((column) => [rows, column.nulls]),
  );
  builder.startObject(4);
  builder.addFieldInt64(0, BigInt(rows), 0n);
  builder.addFieldOffset(1, nodes, 0);
  builder.addFieldOffset(2, buffers, 0);
  return frame(builder, RECORD_BATCH, builder.endObject(), body);
}

function open(bytes, expected) {
  // The buffers of the body are read as numbers in place, and a typed array must begin at a multiple of 8 bytes.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const start = new DataView(aligned.buffer, aligned.byteOffset).getInt32(4, true) + 8;
  const buffer = new ByteBuffer(aligned.subarray(8, start));
  const message = new Table(buffer, buffer.readInt32(0));
  if (message.uint8(1) !== expected) {
    throw new Error(`message has header ${message.uint8(1)} in place of ${expected}`);
  }
  return { header: message.table(2), body: aligned.subarray(start) };
}

function frame(builder, kind, header, body) {
  const bodyBytes = body.reduce((sum, buffer) => sum + padded(buffer.byteLength), 0);
  builder.startObject(5);
  builder.addFieldInt64(3, BigInt(bodyBytes), 0n);
  builder.addFieldOffset(2, header, 0);
  builder.addFieldInt16(0, V5, 0);
  builder.addFieldInt8(1, kind, 0);
  builder.finish(builder.endObject());
  const head = builder.asUint8Array();
  let at = padded(8 + head.length);
  const bytes = new Uint8Array(at + bodyBytes);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, at - 8, true);
  bytes.set(head, 8);
  for (const buffer of body) {
    bytes.set(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), at);
    at += padded(buffer.byteLength);
  }
  return bytes;
}

function padded(bytes) {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function readType(field, name) {
  const number = field.uint8(2);
  const type = field.table(3);
  switch (number) {
    case 2:
      if (type.uint8(1) !== 0) return `int${type.int32(0)}`;
      break;
    case 3:
      if (type.int16(0) !== 0) return type.int16(0) === 1 ? "float32" : "float64";
      break;
    case 4:
      return "binary";
    case 5:
      return field.tables(6).some((entry) => entry.string(0) === "loader.logical") ? "number" : "utf8";
    case 6:
      return "bool";
    case 7:
      return `decimal(${type.int32(0)},${type.int32(1)})`;
    case 8:
      if (type.int16(0, 1) === 0) return "date32";
      break;
    case 10:
      if (type.int16(0) === 2 && !type.string(1)) return "timestamp";
      break;
  }
  throw new Error(`column ${JSON.stringify(name)} has a type that does not cross the sandbox`);
}

function writeType(builder, type) {
  const decimal = decimalOf(type);
  const [number, add] = decimal ? [7, () => addDecimal(builder, decimal)] : (TYPES[type] ?? unknownType(type));
  builder.startObject(3);
  add?.(builder);
  return [number, builder.endObject()];
}

function addDecimal(builder, [precision, scale]) {
  builder.addFieldInt32(0, precision, 0);
  builder.addFieldInt32(1, scale, 0);
  builder.addFieldInt32(2, 128, 0);
}

function int(bits) {
  return (builder) => {
    builder.addFieldInt32(0, bits, 0);
    builder.addFieldInt8(1, 1, 0);
  };
}

// A flatbuffer is built from its end, so the elements of a vector are added in reverse, here and in `pairs`.
function vector(builder, offsets) {
  builder.startVector(4, offsets.length, 4);
  for (const offset of offsets.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

/** A vector of structs of two 64-bit numbers. */
function pairs(builder, list) {
  builder.startVector(16, list.length, 8);
  for (const [first, second] of list.toReversed()) {
    builder.addInt64(BigInt(second));
    builder.addInt64(BigInt(first));
  }
  return builder.endVector();
}

/** A flatbuffer table, its fields by slot. A field that the message leaves out reads as the default. */
class Table {
  constructor(buffer, at) {
    this.buffer = buffer;
    this.at = at;
  }

  slot(slot) {
    const offset = this.buffer.__offset(this.at, 4 + 2 * slot);
    return offset && this.at + offset;
  }

  uint8(slot) {
    const at = this.slot(slot);
    return at && this.buffer.readUint8(at);
  }

  int16(slot, otherwise = 0) {
    const at = this.slot(slot);
    return at ? this.buffer.readInt16(at) : otherwise;
  }

  int32(slot) {
    const at = this.slot(slot);
    return at && this.buffer.readInt32(at);
  }

  int64(slot) {
    const at = this.slot(slot);
    return at ? this.buffer.readInt64(at) : 0n;
  }

  string(slot) {
    const at = this.slot(slot);
    return at ? this.buffer.__string(at) : "";
  }

  table(slot) {
    return new Table(this.buffer, this.buffer.__indirect(this.slot(slot)));
  }

  tables(slot) {
    return this.elements(slot, 4, (at) => new Table(this.buffer, this.buffer.__indirect(at)));
  }

  pairs(slot) {
    return this.elements(slot, 16, (at) => [Number(this.buffer.readInt64(at)), Number(this.buffer.readInt64(at + 8))]);
  }

  elements(slot, size, read) {
    const at = this.slot(slot);
    if (!at) return [];
    const start = this.buffer.__vector(at);
    return Array.from({ length: this.buffer.__vector_len(at) }, (_, index) => read(start + size * index));
  }
}
