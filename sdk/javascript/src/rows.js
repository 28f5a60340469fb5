/**
 * A transform as steps over named columns.
 *
 * The same steps make the plan and its sessions. The plan's state carries what the steps depend on, and each session
 * calls them again.
 */
import { Column } from "./columns.js";
import { decodeBatch, decodeSchema, encodeBatch, encodeSchema } from "./ipc.js";

/** How many messages the host takes for one batch. All reasons past the first 255 share the last message. */
const MAX_REASONS = 256;
const OTHER = { code: "other", message: "rejected for a reason past the 255 that one batch can tell apart" };
const HOST_VALUES = {
  "run.started-at": "timestamp",
  "run.id": "utf8",
  "source.file-name": "utf8",
  "source.uri": "utf8",
  "source.row": "int64",
};

/**
 * Why a plan cannot be made. It ends the load before any row is read. The code for a mistake in the config is
 * `bad-config`.
 */
export class Refusal extends Error {
  constructor(code, message, column) {
    super(message);
    Object.assign(this, { code, column });
  }
}

/** Why a row is not loaded; a step throws it. Never put the value of a cell into the message: it ends up in logs. */
export class Reject extends Error {
  constructor(code, message, column) {
    super(message);
    Object.assign(this, { code, column });
  }
}

/**
 * The columns of a table on their way through a transform's steps.
 *
 * The list begins with the columns of the input. The columns after the last step are the output, in their order. A
 * column that no step reads never enters the sandbox. Later steps do not see a row that a step has rejected.
 */
export class Rows {
  /** Name of the target table. */
  table;
  /** Names of the merge keys, as columns of the target. */
  keys;
  /** `{name, type}` of every column as it is after the steps so far; see `types.js`. */
  columns;
  #steps = [];
  #counters = [];

  constructor({ table, keys, columns }) {
    this.table = table;
    this.keys = keys;
    this.columns = columns.map((column, index) => ({ ...column, from: { tag: "passthrough", val: index } }));
  }

  has(name) {
    return this.columns.some((column) => column.name === name);
  }

  /** Computes a column anew from its own text. NULL comes and goes as null. The column keeps its place. */
  map(name, compute, { type = "utf8" } = {}) {
    const column = this.#find(name);
    const step = { name, type, from: [this.#source(name)], as: "texts", compute };
    Object.assign(column, { type, nullable: true, from: this.#add(step) });
    return this;
  }

  /**
   * Computes a column from the values of other columns. It replaces the column of this name, or comes last when there
   * is none. With `texts`, `compute` gets the columns' texts, as with `map`.
   */
  derive(name, from, compute, { type = "utf8", texts = false } = {}) {
    const step = { name, type, from: from.map((name) => this.#source(name)), as: texts ? "texts" : "values", compute };
    const column = { name, type, nullable: true, from: this.#add(step) };
    const place = this.columns.findIndex((column) => column.name === name);
    this.columns.splice(place < 0 ? this.columns.length : place, place < 0 ? 0 : 1, column);
    return this;
  }

  /** Rejects the rows for which `isBad` returns true. */
  rejectWhen(from, reject, isBad) {
    const compute = (...values) => {
      if (isBad(...values)) throw reject;
    };
    this.#add({ from: from.map((name) => this.#source(name)), as: "values", compute });
    return this;
  }

  /**
   * Has the host cast an input column, exactly or by rejecting the row. The column does not enter the sandbox, so no
   * later step can read it.
   */
  cast(name, type) {
    const column = this.#find(name);
    if (column.from.tag !== "passthrough") {
      throw new Refusal(
        "not-an-input",
        `column ${quoted(name)} cannot be cast: only an input column can, and once`,
        name,
      );
    }
    Object.assign(column, { type, from: { tag: "cast", val: column.from.val } });
    return this;
  }

  rename(name, newName) {
    const column = this.#find(name);
    if (newName !== name) this.#refuseExisting(newName);
    column.name = newName;
    return this;
  }

  drop(name) {
    const column = this.#find(name);
    this.columns = this.columns.filter((other) => other !== column);
    return this;
  }

  /** Adds a column with a value that the host knows: `run.started-at`, `run.id`, `source.file-name` … */
  hostValue(name, key) {
    this.#refuseExisting(name);
    this.columns.push({ name, type: HOST_VALUES[key], nullable: false, from: { tag: "host-value", val: key } });
    return this;
  }

  /** Makes a number for the report of the load. To count, write `counter.count += 1`. */
  counter(name) {
    const counter = { name, count: 0 };
    this.#counters.push(counter);
    return counter;
  }

  get counters() {
    return this.#counters.map(({ name, count }) => ({ name, value: BigInt(count) }));
  }

  /** Input columns that steps read, ascending. */
  get inputs() {
    const read = this.#steps.flatMap((step) => step.from).filter(({ tag }) => tag === "passthrough");
    return [...new Set(read.map(({ val }) => val))].sort((one, other) => one - other);
  }

  // A step that only rejects rows, or whose column was dropped, leaves a gap in the numbers of the steps. The contract
  // numbers computed columns without gaps, so they are counted anew.
  /** The columns as the contract's outputs. Computed columns are numbered in the order in which `run` returns them. */
  get outputs() {
    let computed = 0;
    return this.columns.map(({ from }) => (from.tag === "computed" ? { tag: "computed", val: computed++ } : from));
  }

  // Every step adds to `computed`, also a step that only rejects rows: `val` of a computed source is the step's number.
  // A rejected row has null in all later columns, because the contract wants a value for each row of the batch.
  /** Runs the steps over one batch. `read` gives the column of an input. */
  run(rows, read) {
    const rejects = new Rejects(rows);
    const computed = [];
    for (const { name, type, from, as, compute } of this.#steps) {
      const sources = from.map(({ tag, val }) => (tag === "passthrough" ? read(val) : computed[val])[as]);
      const [one] = sources;
      const ofAll = (row) => compute(...sources.map((cells) => cells[row]));
      const call = sources.length === 1 ? (row) => compute(one[row]) : ofAll;
      const values = [];
      for (let row = 0; row < rows; row++) {
        let value = null;
        try {
          if (!rejects.has(row)) value = call(row) ?? null;
        } catch (error) {
          if (!(error instanceof Reject)) throw error;
          rejects.add(row, error, name);
        }
        values.push(value);
      }
      computed.push(Column.of(type, values));
    }
    const made = this.columns.filter(({ from }) => from.tag === "computed");
    return { columns: made.map(({ from }) => computed[from.val]), rejects };
  }

  #add(step) {
    this.#steps.push(step);
    return { tag: "computed", val: this.#steps.length - 1 };
  }

  #source(name) {
    const { from } = this.#find(name);
    if (from.tag === "passthrough" || from.tag === "computed") return from;
    throw new Refusal("unreadable-column", `column ${quoted(name)} is filled by the host, no step can read it`, name);
  }

  #find(name) {
    const found = this.columns.filter((column) => column.name === name);
    if (found.length === 1) return found[0];
    if (found.length > 1)
      throw new Refusal("ambiguous-column", `there are several columns named ${quoted(name)}`, name);
    const names = this.columns.slice(0, 40).map((column) => quoted(column.name));
    throw new Refusal("no-column", `no column ${quoted(name)}; there are: ${names.join(", ")}`, name);
  }

  #refuseExisting(name) {
    if (this.has(name)) throw new Refusal("column-exists", `there is a column ${quoted(name)} already`, name);
  }
}

/** The rows of one batch that are not loaded. Rows with the same reason share one message. */
class Rejects {
  #reasons;
  #messages = new Map();

  constructor(rows) {
    this.#reasons = new Array(rows);
  }

  has(row) {
    return this.#reasons[row] !== undefined;
  }

  add(row, { code, message, column }, ofStep) {
    const told = { code, message, column: column ?? ofStep };
    const isNew = !this.#messages.has(JSON.stringify(told));
    const error = isNew && this.#messages.size >= MAX_REASONS - 1 ? OTHER : told;
    const key = JSON.stringify(error);
    if (!this.#messages.has(key)) this.#messages.set(key, { index: this.#messages.size, error });
    this.#reasons[row] = this.#messages.get(key).index;
  }

  /** The rejected rows, ascending; a reason for each of them; and the messages that the reasons point to. */
  get parts() {
    const rejected = [...this.#reasons.keys()].filter((row) => this.has(row));
    return {
      rejected: Uint32Array.from(rejected),
      reasons: Uint16Array.from(rejected, (row) => this.#reasons[row]),
      messages: [...this.#messages.values()].map(({ error }) => error),
    };
  }
}

/** The contract's `make-plan`. */
export function makePlan(steps, { table, keys, config }, schema) {
  const state = { table, keys, config, columns: decodeSchema(schema) };
  const rows = new Rows(state);
  steps(JSON.parse(config || "{}"), rows);
  state.inputs = rows.inputs;
  return {
    inputs: Uint32Array.from(rows.inputs),
    schema: encodeSchema(rows.columns),
    outputs: rows.outputs,
    state: new TextEncoder().encode(JSON.stringify(state)),
  };
}

/** The contract's `session`. */
export class OpenSession {
  #rows;
  #inputs;
  #types;

  constructor(steps, bytes) {
    const state = JSON.parse(new TextDecoder().decode(bytes));
    this.#rows = new Rows(state);
    steps(JSON.parse(state.config || "{}"), this.#rows);
    this.#inputs = this.#rows.inputs;
    if (this.#inputs.join() !== state.inputs.join()) {
      throw new Refusal("not-pure", "the steps read other columns than they did when the plan was made");
    }
    this.#types = this.#inputs.map((input) => state.columns[input].type);
  }

  process(message) {
    const batch = decodeBatch(message, this.#types);
    const read = (input) => batch.columns[this.#inputs.indexOf(input)];
    const { columns, rejects } = this.#rows.run(batch.rows, read);
    return { batch: columns.length > 0 ? encodeBatch(batch.rows, columns) : new Uint8Array(), ...rejects.parts };
  }

  finish() {
    return this.#rows.counters;
  }
}

function quoted(name) {
  return JSON.stringify(name);
}
