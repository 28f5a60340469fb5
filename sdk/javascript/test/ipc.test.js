/** Apache Arrow reads what we write, and we read what it writes. */
import assert from "node:assert/strict";
import test from "node:test";

import * as arrow from "apache-arrow";

import { decodeBatch, decodeSchema, encodeBatch, encodeSchema } from "../src/ipc.js";

const big = 12345678901234567890123456789n;
const COLUMNS = [
  ["bool", new arrow.Bool(), [true, null, false]],
  ["int8", new arrow.Int8(), [-128, null, 127]],
  ["int16", new arrow.Int16(), [-32768, null, 32767]],
  ["int32", new arrow.Int32(), [-2147483648, null, 7]],
  ["int64", new arrow.Int64(), [-9223372036854775808n, null, 9223372036854775807n]],
  ["float32", new arrow.Float32(), [0.5, null, -0]],
  ["float64", new arrow.Float64(), [0.1, null, 1e300]],
  ["decimal(38,18)", new arrow.Decimal(18, 38), [big, null, -big]],
  ["utf8", new arrow.Utf8(), ["plain", null, "größer €"]],
  ["binary", new arrow.Binary(), [Uint8Array.of(1, 2), null, Uint8Array.of()]],
  ["date32", new arrow.DateDay(), [0, null, 19_723]],
  ["timestamp", new arrow.TimestampMicrosecond(), [0n, null, 1_700_000_000_000_000n]],
].map(([type, arrowType, values], index) => ({ name: `c${index}`, nullable: true, type, arrowType, values }));

const types = COLUMNS.map(({ type }) => type);

/** A stream is a schema message, batches, and an end. */
function stream(...messages) {
  const end = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
  return Buffer.concat([...messages, end]);
}

/** The messages of a stream, apart. */
function messages(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + 8 + new DataView(bytes.buffer, bytes.byteOffset).getInt32(at + 4, true);
    if (start === at + 8) break;
    const message = arrow.Message.decode(bytes.slice(at + 8, start));
    found.push(bytes.slice(at, start + message.bodyLength));
    at = start + message.bodyLength;
  }
  return found;
}

function plain(column, value) {
  if (value === null) return null;
  if (column.type.startsWith("decimal")) {
    const words = new BigUint64Array(value.buffer, value.byteOffset, 2);
    return BigInt.asIntN(128, (words[1] << 64n) | words[0]);
  }
  return value;
}

test("Apache Arrow reads our schema", () => {
  const schema = arrow.tableFromIPC(stream(encodeSchema(COLUMNS))).schema;
  assert.deepEqual(
    schema.fields.map(({ name, type, nullable }) => [name, String(type), nullable]),
    COLUMNS.map(({ name, arrowType }) => [name, String(arrowType), true]),
  );
});

test("Apache Arrow reads our batches", () => {
  const table = arrow.tableFromIPC(stream(encodeSchema(COLUMNS), encodeBatch(3, COLUMNS)));
  assert.equal(table.numRows, 3);
  COLUMNS.forEach((column, index) => {
    const data = table.getChildAt(index).data[0];
    const raw = ["date32", "timestamp"].includes(column.type);
    const read = (row) => (raw ? data.values[row] : plain(column, table.getChildAt(index).get(row)));
    const values = [0, 1, 2].map((row) => (data.getValid(row) ? read(row) : null));
    assert.deepEqual(values, column.values, column.type);
  });
});

test("we read schemas and batches of Apache Arrow", () => {
  const kept = COLUMNS.filter(({ type }) => !type.startsWith("decimal") && type !== "timestamp" && type !== "date32");
  const vectors = kept.map(({ name, arrowType, values }) => [name, arrow.vectorFromArray(values, arrowType)]);
  const [schema, batch] = messages(arrow.tableToIPC(new arrow.Table(Object.fromEntries(vectors)), "stream"));
  const fields = decodeSchema(schema);
  assert.deepEqual(
    fields,
    kept.map(({ name, type }) => ({ name, type, nullable: true })),
  );
  const { rows, columns } = decodeBatch(
    batch,
    fields.map(({ type }) => type),
  );
  assert.equal(rows, 3);
  assert.deepEqual(
    columns.map(({ values }) => values),
    kept.map(({ values }) => values),
  );
});

test("we read what we write, wherever it lies in memory", () => {
  const written = encodeBatch(3, COLUMNS);
  const moved = new Uint8Array(written.length + 1);
  moved.set(written, 1);
  for (const bytes of [written, moved.subarray(1)]) {
    const { rows, columns } = decodeBatch(bytes, types);
    assert.equal(rows, 3);
    assert.deepEqual(
      columns.map(({ values }) => values),
      COLUMNS.map(({ values }) => values),
    );
  }
  assert.deepEqual(
    decodeSchema(encodeSchema(COLUMNS)).map(({ type }) => type),
    types,
  );
});

test("batches without rows or without columns are batches", () => {
  const none = COLUMNS.map((column) => ({ ...column, values: [] }));
  const { rows, columns } = decodeBatch(encodeBatch(0, none), types);
  assert.deepEqual([rows, columns.map(({ values }) => values.length)], [0, types.map(() => 0)]);
  assert.equal(decodeBatch(encodeBatch(5, []), []).rows, 5);
});

test("a value that its type cannot hold is refused, not cut", () => {
  const write = (type, value) => () => encodeBatch(1, [{ type, values: [value] }]);
  assert.throws(write("int8", 300), /row 0: the value is no int8/);
  assert.throws(write("int32", 1.5), RangeError);
  assert.throws(write("int64", 1n << 63n), RangeError);
  assert.throws(write("decimal(38,0)", 1n << 127n), RangeError);
  assert.throws(write("text", "a"), /there is no type "text"/);
});
