/** Splits a full name into first and last name, by rules that are simple enough to be predicted. */
import { plugin } from "loader-sdk";

import configSchema from "../../examples/split_name/config.schema.json" with { type: "json" };

const DEFAULTS = Object.fromEntries(
  Object.entries(configSchema.properties).map(([key, value]) => [key, value.default]),
);
/** White space as Unicode and Rust define it. JavaScript's `\s` also has the byte order mark, and lacks U+0085. */
const SPACE = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = new RegExp(`[^${SPACE}]+`, "g");
const AROUND = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");

export function steps(config, rows) {
  const { column, first, last, keep, particles, suffixes } = { ...DEFAULTS, ...config };
  const part = (index) => (name) => (name === null ? null : split(name, particles, suffixes)[index]);
  rows.derive(first, [column], part(0), { texts: true });
  rows.derive(last, [column], part(1), { texts: true });
  if (!keep) rows.drop(column);
}

export const transform = plugin({ steps, configSchema });

/** First and last name. With a comma, the last name stands before it; else it is the last word, with particles and suffixes. */
export function split(name, particles = DEFAULTS.particles, suffixes = DEFAULTS.suffixes) {
  const comma = name.indexOf(",");
  if (comma >= 0 && !suffixes.includes(name.slice(comma + 1).replace(AROUND, ""))) {
    return [joined(words(name.slice(comma + 1))), joined(words(name.slice(0, comma)))];
  }
  const all = words(name);
  let start = Math.max(all.length - 1, 0);
  while (start > 0 && suffixes.includes(all[start])) start--;
  while (start > 0 && particles.includes(all[start - 1])) start--;
  return [joined(all.slice(0, start)), joined(all.slice(start))];
}

function words(text) {
  return text.match(WORD) ?? [];
}

function joined(words) {
  return words.length > 0 ? words.join(" ") : null;
}
