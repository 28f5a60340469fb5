"""One column of a batch: from Arrow's buffers to a list of Python values, and back.

Values are as plain as they can be without losing anything: bool; int for integers, days, microseconds and the unscaled
digits of decimals; float; str; bytes; and None.
"""

from array import array
from functools import cached_property
from itertools import accumulate, pairwise

from .text import text
from .types import decimal_of, unknown_type

# For the types of a fixed width, the type code of the standard library's `array` and `memoryview`.
_FIXED = {
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "float32": "f",
    "float64": "d",
    "date32": "i",
    "timestamp": "q",
}


class Column:
    """A column of a batch. Its values are read from the buffers when a step first asks for them."""

    def __init__(self, type_name: str, rows: int, nulls: int, buffers: list[memoryview]):
        self.type, self.rows, self.nulls, self.buffers = type_name, rows, nulls, buffers

    @classmethod
    def of(cls, type_name: str, values: list) -> "Column":
        """Makes a column from values, such as those that a step has computed."""
        column = cls(type_name, len(values), 0, [])
        # Fills the cached property, so that nothing is read from the buffers, which this column does not have.
        column.values = values
        return column

    @cached_property
    def values(self) -> list:
        """All values; NULL is None."""
        values = _read(self.type, self.rows, self.buffers[1:])
        if self.nulls == 0:
            return values
        return [value if valid else None for value, valid in zip(values, _bits(self.buffers[0], self.rows))]

    @cached_property
    def texts(self) -> list:
        """All values as text: what stands in the file, or the text of a typed value, such as `2024-12-31`."""
        if self.type in ("utf8", "number"):
            return self.values
        return [None if value is None else text(self.type, value) for value in self.values]


def buffer_count(type_name: str) -> int:
    """How many buffers a column of this type has: validity and values, and offsets where values vary in length."""
    if type_name in ("utf8", "number", "binary"):
        return 3
    if type_name in _FIXED or type_name == "bool" or decimal_of(type_name):
        return 2
    raise unknown_type(type_name)


def write(type_name: str, values: list) -> tuple[int, list[bytes]]:
    """The number of nulls, and the buffers."""
    # Called for its error: below, an unknown type would be written as a decimal.
    buffer_count(type_name)
    nulls = values.count(None)
    validity = _packed([value is not None for value in values]) if nulls else b""
    return nulls, [validity, *_written(type_name, values)]


def _read(type_name: str, rows: int, data: list[memoryview]) -> list:
    if type_name in ("utf8", "number"):
        ends, whole = data[0][: 4 * (rows + 1)].cast("i"), str(data[1], "utf-8")
        # In plain ASCII a byte is a character, so the offsets of the bytes are those of the characters, and one call of
        # the decoder serves all rows. Other texts are decoded value by value.
        if len(whole) == len(data[1]):
            return [whole[start:end] for start, end in pairwise(ends)]
        return [str(data[1][start:end], "utf-8") for start, end in pairwise(ends)]
    if type_name == "binary":
        return [bytes(data[1][start:end]) for start, end in pairwise(data[0][: 4 * (rows + 1)].cast("i"))]
    if type_name == "bool":
        return _bits(data[0], rows)
    if code := _FIXED.get(type_name):
        return data[0].cast(code).tolist()[:rows]
    starts = range(0, 16 * rows, 16)
    return [int.from_bytes(data[0][start : start + 16], "little", signed=True) for start in starts]


def _written(type_name: str, values: list) -> list[bytes]:
    if type_name in ("utf8", "number"):
        return _concatenated([b"" if value is None else value.encode() for value in values])
    if type_name == "binary":
        return _concatenated([b"" if value is None else value for value in values])
    if type_name == "bool":
        return [_packed([value is True for value in values])]
    if code := _FIXED.get(type_name):
        return [array(code, [0 if value is None else value for value in values]).tobytes()]
    return [b"".join((value or 0).to_bytes(16, "little", signed=True) for value in values)]


def _concatenated(parts: list[bytes]) -> list[bytes]:
    return [array("i", accumulate(map(len, parts), initial=0)).tobytes(), b"".join(parts)]


# All bits become one large integer and its binary digits, because a loop in Python costs more for each bit. Arrow puts
# the first row into the lowest bit, which is the last digit; hence the reversal here and in `_packed`.
def _bits(packed: memoryview, count: int) -> list[bool]:
    digits = f"{int.from_bytes(packed, 'little'):0{count}b}"[::-1]
    return [digit == "1" for digit in digits[:count]]


def _packed(bits: list[bool]) -> bytes:
    digits = "".join("1" if bit else "0" for bit in reversed(bits))
    return int(digits or "0", 2).to_bytes((len(bits) + 7) // 8, "little")
