"""Typed values read as the SDK for Rust writes them."""

import math
import struct
import unittest

from loader_sdk.text import text


def float32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


class Texts(unittest.TestCase):
    def test_values_have_the_texts_that_they_have_in_rust(self):
        for type_name, value, expected in [
            ("bool", True, "true"),
            ("int64", -5, "-5"),
            ("date32", 19_782, "2024-02-29"),
            ("date32", -(2**31), "-5877641-06-23"),
            ("date32", 2**31 - 1, "5881580-07-11"),
            ("timestamp", -1, "1969-12-31 23:59:59.999999"),
            ("timestamp", 1_709_210_096_000_000, "2024-02-29 12:34:56"),
            ("timestamp", -(2**63), "-290308-12-21 19:59:05.224192"),
            ("decimal(12,2)", 1250, "12.50"),
            ("decimal(12,2)", -5, "-0.05"),
            ("decimal(38,0)", 7, "7"),
            ("float64", 0.1, "0.1"),
            ("float64", 5.0, "5"),
            ("float64", 1e15, "1000000000000000"),
            ("float64", 1e16, "1e16"),
            ("float64", 1e-4, "0.0001"),
            ("float64", 1.5e-5, "1.5e-5"),
            ("float64", -0.0, "-0"),
            ("float64", math.nan, "NaN"),
            ("float64", -math.inf, "-inf"),
            ("float32", float32(0.1), "0.1"),
            ("float32", float32(1e-5), "1e-5"),
            ("float32", float32(3.4028235e38), "3.4028235e38"),
            ("float32", 16777216.0, "16777216"),
        ]:
            with self.subTest(type=type_name, value=value):
                self.assertEqual(text(type_name, value), expected)
