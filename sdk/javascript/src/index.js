/**
 * Transform plugins for loader in JavaScript: steps over named columns, without a word of Arrow.
 *
 * ```js
 * import { Reject, plugin } from "loader-sdk";
 *
 * export const transform = plugin({
 *   steps(config, rows) {
 *     rows.map("email", (email) => email?.toLowerCase());
 *     rows.derive("name", ["first", "last"], (first, last) => `${first} ${last}`);
 *     rows.rejectWhen(["age"], new Reject("minor", "customers are at least 18"), (age) => age !== null && age < 18);
 *   },
 * });
 * ```
 */
import { OpenSession, Refusal, Reject, Rows, makePlan } from "./rows.js";

export { Refusal, Reject, Rows };

/**
 * Makes what a plugin exports as `transform`.
 *
 * `steps(config, rows)` is called for the plan, and again for every session, so the same config and columns must give
 * the same steps. `configSchema` is the config's JSON Schema, by which the host checks the config. A plugin without it
 * has no config.
 */
export function plugin({ steps, configSchema }) {
  class Session {
    #session;

    static open(state) {
      const session = new Session();
      session.#session = told(() => new OpenSession(steps, state));
      return session;
    }

    process(batch) {
      return told(() => this.#session.process(batch), isQuiet);
    }

    finish() {
      return told(() => this.#session.finish());
    }
  }

  return {
    Session,
    configSchema: () => (configSchema ? JSON.stringify(configSchema) : ""),
    makePlan: (context, schema) => told(() => makePlan(steps, context, schema)),
  };
}

const isQuiet = true;

/**
 * Runs a function, and turns its exceptions into errors of the contract. A mistake in the plugin is reported with the
 * exception's name and place. `isQuiet` leaves its message out, because it may quote a value when rows are at hand.
 * (For example, a plugin may throw `new Error("bad price: " + price)`.)
 */
function told(run, isQuiet = false) {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) throw payload(error.code, error.message, error.column);
    const place = String(error?.stack ?? "").split("\n", 1)[0];
    const message = isQuiet ? "" : `: ${error?.message ?? error}`;
    throw payload("exception", `${error?.name ?? "error"}${message} at ${place}`);
  }
}

function payload(code, message, column) {
  return Object.assign(new Error(message), { payload: { code, message, column, row: undefined } });
}
