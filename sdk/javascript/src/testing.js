/** Runs a transform's steps natively, for tests with `node --test`. */
import { decodeBatch, decodeSchema, encodeBatch, encodeSchema } from "./ipc.js";
import { OpenSession, makePlan } from "./rows.js";

/**
 * Runs `steps` over columns, such as `{email: ["a@x", null]}`, by way of the contract's messages. A column is a list of
 * texts, or `{type, values}`. Returns the names of all output columns, the computed columns by name, the rejected rows
 * (counted from 0) with their codes, and the counters.
 */
export function run(steps, input, { config = {}, keys = [], table = "t" } = {}) {
  const columns = Object.entries(input).map(([name, column]) => ({
    name,
    nullable: true,
    ...(Array.isArray(column) ? { type: "utf8", values: column } : column),
  }));
  const plan = makePlan(steps, { table, keys, config: JSON.stringify(config) }, encodeSchema(columns));
  const session = new OpenSession(steps, plan.state);
  const rows = columns[0].values.length;
  const output = session.process(
    encodeBatch(
      rows,
      Array.from(plan.inputs, (input) => columns[input]),
    ),
  );
  const fields = decodeSchema(plan.schema);
  const computed = fields.filter((_, index) => plan.outputs[index].tag === "computed");
  const batch =
    computed.length > 0
      ? decodeBatch(
          output.batch,
          computed.map(({ type }) => type),
        )
      : { columns: [] };
  return {
    names: fields.map(({ name }) => name),
    columns: Object.fromEntries(computed.map(({ name }, index) => [name, batch.columns[index].values])),
    rejects: Array.from(output.rejected, (row, index) => [row, output.messages[output.reasons[index]].code]),
    counters: Object.fromEntries(session.finish().map(({ name, value }) => [name, value])),
  };
}
