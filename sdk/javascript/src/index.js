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
 * What a plugin exports as `transform`.
 *
 * `steps(config, rows)` is called for the plan and again for every session: the same config and columns must give the
 * same steps. `configSchema` is the config's JSON Schema, which the host checks; none: there is no config.
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
 * Errors as the contract has them. A mistake in the plugin is told by name and place; where rows are at hand its
 * message is left out, because it may quote a value.
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
