/**
 * The types of columns, by name: `bool`, `int8`, `int16`, `int32`, `int64`, `float32`, `float64`, `decimal(12,2)`,
 * `utf8`, `number` (a number with a fraction or an exponent, as the text that stands in the file, such as `1.10`),
 * `binary`, `date32` (days since 1970) and `timestamp` (microseconds since 1970, UTC).
 */

/** Precision and scale of `decimal(12,2)`; null for other types. */
export function decimalOf(type) {
  return /^decimal\((\d+),(\d+)\)$/.exec(type)?.slice(1).map(Number) ?? null;
}

export function unknownType(type) {
  throw new Error(`there is no type ${JSON.stringify(type)}`);
}
