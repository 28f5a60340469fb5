/** Typed values as text, written as the SDK for Rust writes them: `true`, `2024-12-31 23:59:59`, `12.50`. */
import { decimalOf } from "./types.js";

const MICROS_PER_DAY = 86_400_000_000n;

/** The text of a value that is not null; see `Column.values` for what values are. */
export function text(type, value) {
  switch (type) {
    case "float32":
      return float(shortest32(value));
    case "float64":
      return float(value);
    case "date32":
      return date(value);
    case "timestamp":
      return timestamp(value);
    case "binary":
      throw new TypeError("bytes have no text");
  }
  const decimal = decimalOf(type);
  return decimal ? scaled(value, decimal[1]) : String(value);
}

function date(days) {
  const [year, month, day] = civil(days);
  return `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

// `%` keeps the sign, so a time before 1970 is moved up by a day: -1 microsecond is 23:59:59.999999 of the day before.
function timestamp(micros) {
  const ofDay = ((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY;
  const clock = Number(ofDay);
  const seconds = Math.floor(clock / 1e6);
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const rest = clock % 1e6 === 0 ? "" : `.${String(clock % 1e6).padStart(6, "0")}`;
  return `${date(Number((micros - ofDay) / MICROS_PER_DAY))} ${time}${rest}`;
}

/**
 * Year, month and day of a day since 1970; <https://howardhinnant.github.io/date_algorithms.html>. Years start in March
 * here, so that the leap day is the last day of a year.
 */
function civil(days) {
  const floor = Math.floor;
  const era = floor((days + 719_468) / 146_097);
  const dayOfEra = days + 719_468 - era * 146_097;
  const yearOfEra = floor(
    (dayOfEra - floor(dayOfEra / 1460) + floor(dayOfEra / 36_524) - floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + floor(yearOfEra / 4) - floor(yearOfEra / 100));
  const shiftedMonth = floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - floor((153 * shiftedMonth + 2) / 5) + 1];
}

function two(number) {
  return String(number).padStart(2, "0");
}

function scaled(unscaled, scale) {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The float with the shortest digits that read back as the same 32-bit float. */
function shortest32(value) {
  for (let digits = 1; digits < 9; digits++) {
    const written = value.toPrecision(digits);
    if (Math.fround(Number(written)) === value) return Number(written);
  }
  return value;
}

/** Rust writes exponents from 1e16 up and below 1e-4, JavaScript from 1e21 up and below 1e-6. */
function float(value) {
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "inf");
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) return value.toExponential().replace("e+", "e");
  return String(value);
}
