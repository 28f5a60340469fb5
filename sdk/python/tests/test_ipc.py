"""We read what Apache Arrow writes, and what we write ourselves. That the host reads it, its own tests show."""

import base64
import unittest
import zlib

from loader_sdk.ipc import Field, decode_batch, decode_schema, encode_batch, encode_schema

BIG = 12345678901234567890123456789
COLUMNS = [
    ("bool", [True, None, False]),
    ("int8", [-128, None, 127]),
    ("int16", [-32768, None, 32767]),
    ("int32", [-(2**31), None, 7]),
    ("int64", [-(2**63), None, 2**63 - 1]),
    ("float32", [0.5, None, -0.0]),
    ("float64", [0.1, None, 1e300]),
    ("decimal(38,18)", [BIG, None, -BIG]),
    ("utf8", ["plain", None, "größer €"]),
    ("binary", [b"\1\2", None, b""]),
    ("date32", [0, None, 19_723]),
    ("timestamp", [0, None, 1_700_000_000_000_000]),
]
# Written by pyarrow 26.0.1, compressed: the columns above and two of text, a number and one without nulls.
SCHEMA = (
    "eNp9kj1OAzEQhd9udp1VFKEIbbEFBQWiQigJ/xIFJQUFJQUNJAFF2hApIh0HoOAAFBSUHCIHoKBEnIGSAwDmjccEtFnF0vPP+PN4Zmxr"
    "rW1WgAak1VCHQYyEM7Yg4hpcJewj3wML1GsI3FGn1Br1GQDP1APVpfaplHonO6FOqBRyT+r8VJ3nhr8XsYxL3j/8eDHOc50bb19ExtNm"
    "ejqlxQUai+9jF6veI81QV+PBeW9EwvvMmG/q51Wq2+v0B2e5yykfnnV7o/V8eNnv0ISPL2tXvq3l6VrD+/2NjyVDp9VCzcp+iCPlknKu"
    "ibbjgGvloiIXCrfHeLh/r0xcyuwCt9yfKFMt1s0xO1KHunsxqceqqxzz0TOVUr/bwJvPJbN/3IzvLa2svILR2uNQ+bDU7yZwo7kHB5L/"
    "PHYDePLsMrvHeWybf9Czsv/yj52JuaX1SPjiiZqDZPoXTeEvBkbGrOijKetoavsB4O1uvA=="
)
BATCH = (
    "eNr7////fwtmBgYRBgjgYRBjYGNgZeAAsnhAAswsDBJAagYjVAEDF5DPw8ACVMEF5MkwMTAIgJQxIIACEhumjQONL4DGl4DSzGhmwOQ1"
    "oDQblDZAk7eAux8CPNDkA9DsyUCTL0DT34Am34GmfwGa/Ao0d91Ak3+A5u8PUFoQFj6MaOHDiKpeAcpngoUHmnoDRlT3O6DJezCiuj8B"
    "TT4Dzb4KKJ8VFh6MDCigAU39BEbU+AMBPiQ+I1r8DnU+DLCiycPDi6EehQ9KUP/rkfjQJMaOpg8t+TH8h4B6JHl7ZDUw8VkzQWAnTI5h"
    "TilDh80T8zqYvGijZd7Gk/vcjKSfqDNgAa/rjk30M3PcefaJ9A2QhaxofmSFptWCnMTMvPSiw9sOz08tUnjUtAaL+5mQMCMTVv8xcPti"
    "F4cDBzkJFS42FHkWKAaJGeqZGhghhT0TNG4Sk5LBYgBzcEMF"
)


def message(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


class Messages(unittest.TestCase):
    def test_we_read_what_arrow_writes(self):
        fields = decode_schema(message(SCHEMA))
        expected = [Field(f"c{index}", type_name) for index, (type_name, _) in enumerate(COLUMNS)]
        self.assertEqual(fields, [*expected, Field("number", "number"), Field("full", "utf8", False)])
        rows, columns = decode_batch(message(BATCH), [field.type for field in fields])
        self.assertEqual(rows, 3)
        values = [values for _, values in COLUMNS] + [["1.50", None, "2"], ["a", "b", "c"]]
        self.assertEqual([column.values for column in columns], values)

    def test_we_read_what_we_write(self):
        fields = [Field(f"c{index}", type_name) for index, (type_name, _) in enumerate(COLUMNS)]
        self.assertEqual(decode_schema(encode_schema(fields)), fields)
        rows, columns = decode_batch(encode_batch(3, COLUMNS), [type_name for type_name, _ in COLUMNS])
        self.assertEqual(rows, 3)
        self.assertEqual([(column.type, column.values) for column in columns], COLUMNS)

    def test_batches_without_rows_or_without_columns_are_batches(self):
        types = [type_name for type_name, _ in COLUMNS]
        rows, columns = decode_batch(encode_batch(0, [(type_name, []) for type_name in types]), types)
        self.assertEqual((rows, [column.values for column in columns]), (0, [[] for _ in types]))
        self.assertEqual(decode_batch(encode_batch(5, []), [])[0], 5)

    def test_many_rows_keep_their_bits(self):
        values = [(True, None, False)[row % 3] for row in range(1000)]
        _, [column] = decode_batch(encode_batch(1000, [("bool", values)]), ["bool"])
        self.assertEqual(column.values, values)

    def test_a_value_that_its_type_cannot_hold_is_refused_not_cut(self):
        for type_name, value in [("int8", 300), ("int64", 2**63), ("decimal(38,0)", 2**127)]:
            with self.assertRaises(OverflowError):
                encode_batch(1, [(type_name, [value])])
        with self.assertRaisesRegex(ValueError, "there is no type 'text'"):
            encode_batch(1, [("text", ["a"])])
