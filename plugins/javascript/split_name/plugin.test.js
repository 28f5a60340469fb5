/** The rules of the plugin, natively; the golden cases of plugins/examples/split_name are for the component. */
import assert from "node:assert/strict";
import test from "node:test";

import { run } from "loader-sdk/testing";

import { split, steps } from "./plugin.js";

test("names follow the rules", () => {
  for (const [name, first, last] of [
    ["  Ada   King  Lovelace ", "Ada King", "Lovelace"],
    ["Lovelace, Ada King", "Ada King", "Lovelace"],
    ["Oscar de la Renta", "Oscar", "de la Renta"],
    ["Martin Luther King Jr.", "Martin Luther", "King Jr."],
    ["Martin Luther King, Jr.", "Martin Luther", "King, Jr."],
    ["Van Morrison", "Van", "Morrison"],
    ["van Gogh", null, "van Gogh"],
    ["Lovelace,", null, "Lovelace"],
    ["Ada\u3000Lovelace\x85", "Ada", "Lovelace"],
    ["\ufeffPlato", null, "\ufeffPlato"],
    [" ", null, null],
  ]) {
    assert.deepEqual(split(name), [first, last], name);
  }
});

test("the parts stand behind the other columns", () => {
  const ran = run(steps, { id: ["1", "2"], name: ["Ada Lovelace", null] });
  assert.deepEqual(ran.names, ["id", "name", "first_name", "last_name"]);
  assert.deepEqual(ran.columns, { first_name: ["Ada", null], last_name: ["Lovelace", null] });
  const config = { column: "n", keep: false, first: "given", last: "family" };
  assert.deepEqual(run(steps, { n: { type: "int32", values: [42] } }, { config }).columns, {
    given: [null],
    family: ["42"],
  });
  assert.throws(() => run(steps, { id: ["1"] }), { code: "no-column", column: "name" });
});
