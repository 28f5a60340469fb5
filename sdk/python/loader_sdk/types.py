"""The types of columns, by name: `bool`, `int8`, `int16`, `int32`, `int64`, `float32`, `float64`, `decimal(12,2)`,
`utf8`, `number` (a number with a fraction or an exponent, as the text that stands in the file, such as `1.10`),
`binary`, `date32` (days since 1970) and `timestamp` (microseconds since 1970, UTC)."""

import re


def decimal_of(type_name: str) -> tuple[int, int] | None:
    """Precision and scale of `decimal(12,2)`; None for other types."""
    match = re.fullmatch(r"decimal\((\d+),(\d+)\)", type_name)
    return (int(match[1]), int(match[2])) if match else None


def unknown_type(type_name: str) -> ValueError:
    return ValueError(f"there is no type {type_name!r}")
