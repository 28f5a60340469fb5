/** Steps over columns, by way of plans, sessions and messages. */
import assert from "node:assert/strict";
import test from "node:test";

import { Reject } from "../src/index.js";
import { run } from "../src/testing.js";

const PEOPLE = { id: { type: "int32", values: [1, 2, 3] }, name: ["Ada", null, "Grace"], note: ["x", "y", "z"] };

test("steps change, add, rename and drop columns", () => {
  const ran = run((config, rows) => {
    rows.map("name", (name) => name && name.toUpperCase());
    rows.derive("double", ["id"], (id) => id * 2, { type: "int32" });
    rows.derive("both", ["name", "double"], (name, double) => `${name}${double}`);
    rows.derive("size", ["id"], (id) => id.length, { type: "int8", texts: true });
    rows.drop("note").rename("id", "number").hostValue("loaded_at", "run.started-at");
  }, PEOPLE);
  assert.deepEqual(ran.names, ["number", "name", "double", "both", "size", "loaded_at"]);
  const both = ["ADA2", "null4", "GRACE6"];
  assert.deepEqual(ran.columns, { name: ["ADA", null, "GRACE"], double: [2, 4, 6], both, size: [1, 1, 1] });
});

test("what a step has made reads as text behind it", () => {
  const ran = run((config, rows) => {
    rows.derive("day", ["id"], (id) => id, { type: "date32" });
    rows.map("day", (day) => day.slice(5));
  }, PEOPLE);
  assert.deepEqual(ran.columns, { day: ["01-02", "01-03", "01-04"] });
});

test("a rejected row is not seen by later steps", () => {
  const seen = [];
  const ran = run((config, rows) => {
    const kept = rows.counter("kept");
    rows.rejectWhen(["id"], new Reject("odd", "the row is not wanted"), (id) => id % 2 === 1);
    rows.map("name", (name) => {
      kept.count += 1;
      seen.push(name);
      return name;
    });
  }, PEOPLE);
  assert.deepEqual(ran.rejects, [
    [0, "odd"],
    [2, "odd"],
  ]);
  assert.deepEqual([seen, ran.columns.name, ran.counters], [[null], [null, null, null], { kept: 1n }]);
});

test("reasons past the limit share the last message", () => {
  const many = { n: { type: "int32", values: Array.from({ length: 1000 }, (_, row) => row) } };
  const ran = run((config, rows) => {
    rows.map("n", (n) => {
      throw new Reject(`reason-${n}`, "no");
    });
  }, many);
  assert.deepEqual(
    [ran.rejects.length, ran.rejects[254], ran.rejects[999]],
    [1000, [254, "reason-254"], [999, "other"]],
  );
});

test("mistakes in a plan are refusals with a code", () => {
  const refused = (steps) => {
    try {
      run(steps, PEOPLE);
    } catch (error) {
      return `${error.code}: ${error.message}`;
    }
  };
  assert.equal(
    refused((config, rows) => rows.map("nmae", String)),
    'no-column: no column "nmae"; there are: "id", "name", "note"',
  );
  assert.equal(
    refused((config, rows) => rows.rename("id", "name")),
    'column-exists: there is a column "name" already',
  );
  assert.match(
    refused((config, rows) => rows.map("name", String).cast("name", "int32")),
    /^not-an-input: /,
  );
  assert.match(
    refused((config, rows) => rows.cast("id", "int64").map("id", String)),
    /^unreadable-column: /,
  );
  let calls = 0;
  assert.match(
    refused((config, rows) => rows.map(calls++ ? "note" : "name", String)),
    /^not-pure: /,
  );
});
