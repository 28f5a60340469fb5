"""The rules of the plugin, natively; the golden cases of plugins/examples/split_name are for the component."""

import unittest

from loader_sdk import Refusal
from loader_sdk.testing import run
from transform import split, steps


class SplitName(unittest.TestCase):
    def test_names_follow_the_rules(self):
        for name, first, last in [
            ("  Ada   King  Lovelace ", "Ada King", "Lovelace"),
            ("Lovelace, Ada King", "Ada King", "Lovelace"),
            ("Oscar de la Renta", "Oscar", "de la Renta"),
            ("Martin Luther King Jr.", "Martin Luther", "King Jr."),
            ("Martin Luther King, Jr.", "Martin Luther", "King, Jr."),
            ("Van Morrison", "Van", "Morrison"),
            ("van Gogh", None, "van Gogh"),
            ("Lovelace,", None, "Lovelace"),
            ("Ada\u3000Lovelace\x85", "Ada", "Lovelace"),
            ("\x1cPlato", None, "\x1cPlato"),
            (" ", None, None),
        ]:
            with self.subTest(name=name):
                self.assertEqual(split(name), (first, last))

    def test_the_parts_stand_behind_the_other_columns(self):
        ran = run(steps, {"id": ["1", "2"], "name": ["Ada Lovelace", None]})
        self.assertEqual(ran.names, ["id", "name", "first_name", "last_name"])
        self.assertEqual(ran.columns, {"first_name": ["Ada", None], "last_name": ["Lovelace", None]})
        ran = run(steps, {"n": ("int32", [42])}, {"column": "n", "keep": False, "first": "given", "last": "family"})
        self.assertEqual(ran.columns, {"given": [None], "family": ["42"]})
        with self.assertRaises(Refusal) as refusal:
            run(steps, {"id": ["1"]})
        self.assertEqual((refusal.exception.code, refusal.exception.column), ("no-column", "name"))
