/**
 * One column of a batch: from Arrow's buffers to an array of JavaScript values, and back.
 *
 * Values are as plain as they can be without losing anything: `boolean`; `number` for integers of up to 32 bits, floats
 * and days; `bigint` for 64-bit integers, microseconds and the unscaled digits of decimals; `string`; `Uint8Array`;
 * and `null`.
 */
import { text } from "./text.js";
import { decimalOf, unknownType } from "./types.js";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const toUtf8 = new TextEncoder();

/** A column of a batch. Its values are read from the buffers when a step first asks for them. */
export class Column {
  #values;
  #texts;

  constructor(type, rows, nulls, buffers) {
    Object.assign(this, { type, rows, nulls, buffers });
  }

  /** Makes a column from values, such as those that a step has computed. */
  static of(type, values) {
    const column = new Column(type, values.length, 0, []);
    column.#values = values;
    return column;
  }

  /** All values; NULL is null. */
  get values() {
    return (this.#values ??= this.#read());
  }

  /** All values as text: what stands in the file, or the text of a typed value, such as `2024-12-31`. */
  get texts() {
    const type = this.type;
    if (type === "utf8" || type === "number") return this.values;
    return (this.#texts ??= this.values.map((value) => (value === null ? null : text(type, value))));
  }

  #read() {
    const [validity, ...data] = this.buffers;
    const values = layout(this.type).read(this.rows, data);
    if (this.nulls > 0) {
      for (let row = 0; row < this.rows; row++) {
        if (!bit(validity, row)) values[row] = null;
      }
    }
    return values;
  }
}

/** How a type lies in memory: the number of its buffers, `read(rows, data)` and `write(values)`. */
export function layout(type) {
  return LAYOUTS[type] ?? (decimalOf(type) ? decimal : unknownType(type));
}

// Code that runs once for each value uses plain loops: the engine in the sandbox interprets, and calls cost it most.

function fixed(type, Values, isExact) {
  return {
    buffers: 2,
    read: (rows, [data]) => Array.from(new Values(data.buffer, data.byteOffset, rows)),
    write(values) {
      const data = new Values(values.length);
      for (let row = 0; row < values.length; row++) {
        const value = values[row];
        if (value === null) continue;
        data[row] = value;
        // A typed array wraps or cuts a value that does not fit: 300 as an int8 becomes 44. Reading it back finds that.
        if (isExact && data[row] !== value) throw new RangeError(`row ${row}: the value is no ${type}`);
      }
      return withValidity(values, [data]);
    },
  };
}

const bool = {
  buffers: 2,
  read(rows, [data]) {
    const values = [];
    for (let row = 0; row < rows; row++) values.push(bit(data, row));
    return values;
  },
  write: (values) => withValidity(values, [bits(values, (value) => value === true)]),
};

const decimal = {
  buffers: 2,
  read(rows, [data]) {
    const words = new BigInt64Array(data.buffer, data.byteOffset, 2 * rows);
    const values = [];
    // Of the two 64-bit words of a value, the lower one comes first. Only the upper one carries the sign.
    for (let at = 0; at < 2 * rows; at += 2) values.push((words[at + 1] << 64n) | BigInt.asUintN(64, words[at]));
    return values;
  },
  write(values) {
    const words = new BigInt64Array(2 * values.length);
    for (let row = 0; row < values.length; row++) {
      const value = values[row];
      if (value === null) continue;
      if (BigInt.asIntN(128, value) !== value) throw new RangeError(`row ${row}: the value has more than 38 digits`);
      words[2 * row] = value;
      words[2 * row + 1] = value >> 64n;
    }
    return withValidity(values, [words]);
  },
};

const binary = {
  buffers: 3,
  read: (rows, [ends, data]) => slices(rows, ends, (start, end) => data.slice(start, end)),
  write: (values) =>
    concatenated(
      values,
      values.map((value) => value ?? new Uint8Array()),
    ),
};

const string = {
  buffers: 3,
  read(rows, [ends, data]) {
    const whole = utf8.decode(data);
    // In plain ASCII a byte is a character, so the offsets of the bytes are those of the characters, and one call of
    // the decoder serves all rows. Other texts are decoded value by value.
    if (whole.length === data.length) return slices(rows, ends, (start, end) => whole.slice(start, end));
    return slices(rows, ends, (start, end) => utf8.decode(data.subarray(start, end)));
  },
  write(values) {
    const texts = values.map((value) => value ?? "");
    const ends = offsets(texts);
    const data = toUtf8.encode(texts.join(""));
    // The same shortcut as in `read`: as many bytes as characters means plain ASCII, so `ends` are right for the bytes.
    if (data.length === ends[texts.length]) return withValidity(values, [ends, data]);
    return concatenated(
      values,
      texts.map((value) => toUtf8.encode(value)),
    );
  },
};

const LAYOUTS = {
  bool,
  int8: fixed("int8", Int8Array, true),
  int16: fixed("int16", Int16Array, true),
  int32: fixed("int32", Int32Array, true),
  int64: fixed("int64", BigInt64Array, true),
  float32: fixed("float32", Float32Array, false),
  float64: fixed("float64", Float64Array, false),
  date32: fixed("date32", Int32Array, true),
  timestamp: fixed("timestamp", BigInt64Array, true),
  binary,
  utf8: string,
  number: string,
};

function slices(rows, offsets, slice) {
  const ends = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.byteLength / 4);
  const values = [];
  for (let row = 0; row < rows; row++) values.push(slice(ends[row], ends[row + 1]));
  return values;
}

function concatenated(values, parts) {
  const ends = offsets(parts);
  const data = new Uint8Array(ends[parts.length]);
  for (let row = 0; row < parts.length; row++) data.set(parts[row], ends[row]);
  return withValidity(values, [ends, data]);
}

function offsets(parts) {
  const ends = new Int32Array(parts.length + 1);
  for (let row = 0; row < parts.length; row++) ends[row + 1] = ends[row] + parts[row].length;
  return ends;
}

function withValidity(values, data) {
  let nulls = 0;
  for (const value of values) if (value === null) nulls++;
  const validity = nulls > 0 ? bits(values, (value) => value !== null) : new Uint8Array();
  return { nulls, buffers: [validity, ...data] };
}

function bit(bytes, row) {
  return ((bytes[row >> 3] >> (row & 7)) & 1) === 1;
}

function bits(values, isSet) {
  const bytes = new Uint8Array((values.length + 7) >> 3);
  for (let row = 0; row < values.length; row++) {
    if (isSet(values[row])) bytes[row >> 3] |= 1 << (row & 7);
  }
  return bytes;
}
