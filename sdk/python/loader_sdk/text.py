"""Typed values as text, written as the SDK for Rust writes them: `true`, `2024-12-31 23:59:59`, `12.50`."""

import math
from array import array

from .types import decimal_of

_MICROS_PER_DAY = 86_400_000_000


def text(type_name: str, value) -> str:
    """The text of a value that is not None; see `Column.values` for what values are."""
    match type_name:
        case "bool":
            return "true" if value else "false"
        case "float32":
            return _float(_shortest32(value))
        case "float64":
            return _float(value)
        case "date32":
            return _date(value)
        case "timestamp":
            return _timestamp(value)
        case "binary":
            raise TypeError("bytes have no text")
    decimal = decimal_of(type_name)
    return _scaled(value, decimal[1]) if decimal else str(value)


def _date(days: int) -> str:
    year, month, day = _civil(days)
    return f"{'-' if year < 0 else ''}{abs(year):04}-{month:02}-{day:02}"


def _timestamp(micros: int) -> str:
    days, clock = divmod(micros, _MICROS_PER_DAY)
    seconds, fraction = divmod(clock, 1_000_000)
    rest = f".{fraction:06}" if fraction else ""
    return f"{_date(days)} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{rest}"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day since 1970; <https://howardhinnant.github.io/date_algorithms.html>. Years start in
    March here, so that the leap day is the last day of a year. Python's own dates end with the year 9999."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted_month + 2) // 5 + 1


def _scaled(unscaled: int, scale: int) -> str:
    if scale == 0:
        return str(unscaled)
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    return f"{'-' if unscaled < 0 else ''}{digits[:-scale]}.{digits[-scale:]}"


def _shortest32(value: float) -> float:
    """The float with the shortest digits that read back as the same 32-bit float."""
    if math.isfinite(value):
        for digits in range(1, 9):
            short = float(f"{value:.{digits}g}")
            if array("f", [short])[0] == value:
                return short
    return value


def _float(value: float) -> str:
    """The text of a float as Rust writes it: `1e-5` where Python writes `1e-05`, `1e16` for `1e+16`, and no `.0`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else str(value)
    digits, _, exponent = repr(value).removesuffix(".0").partition("e")
    return f"{digits}e{int(exponent)}" if exponent else digits
