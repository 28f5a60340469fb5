/** Typed values read as the SDK for Rust writes them. */
import assert from "node:assert/strict";
import test from "node:test";

import { text } from "../src/text.js";

test("values have the texts that they have in Rust", () => {
  const check = (type, value, expected) => assert.equal(text(type, value), expected, `${type} ${value}`);
  check("bool", true, "true");
  check("int64", -5n, "-5");
  check("date32", 19_782, "2024-02-29");
  check("date32", -2_147_483_648, "-5877641-06-23");
  check("date32", 2_147_483_647, "5881580-07-11");
  check("timestamp", -1n, "1969-12-31 23:59:59.999999");
  check("timestamp", 1_709_210_096_000_000n, "2024-02-29 12:34:56");
  check("timestamp", -(1n << 63n), "-290308-12-21 19:59:05.224192");
  check("decimal(12,2)", 1250n, "12.50");
  check("decimal(12,2)", -5n, "-0.05");
  check("decimal(38,0)", 7n, "7");
  for (const [value, expected] of [
    [0.1, "0.1"],
    [5, "5"],
    [1e15, "1000000000000000"],
    [1e16, "1e16"],
    [1.5e-5, "1.5e-5"],
  ]) {
    check("float64", value, expected);
  }
  for (const [value, expected] of [
    [1e-4, "0.0001"],
    [-0, "-0"],
    [NaN, "NaN"],
    [-Infinity, "-inf"],
  ]) {
    check("float64", value, expected);
  }
  check("float32", Math.fround(0.1), "0.1");
  check("float32", Math.fround(1e-5), "1e-5");
  check("float32", Math.fround(16777216), "16777216");
});
