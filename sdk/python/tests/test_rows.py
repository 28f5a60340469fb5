"""Steps over columns, by way of plans, sessions and messages."""

import unittest

from loader_sdk import Refusal, Reject
from loader_sdk.testing import run

PEOPLE = {"id": ("int32", [1, 2, 3]), "name": ["Ada", None, "Grace"], "note": ["x", "y", "z"]}


class Steps(unittest.TestCase):
    def test_steps_change_add_rename_and_drop_columns(self):
        def steps(config, rows):
            rows.map("name", lambda name: name and name.upper())
            rows.derive("double", ["id"], lambda id: id * 2, "int32")
            rows.derive("both", ["name", "double"], lambda name, double: f"{name}{double}")
            rows.derive("one", [], lambda: 1, "int8")
            rows.derive("size", ["id"], len, "int8", texts=True)
            rows.drop("note")
            rows.rename("id", "number")
            rows.host_value("loaded_at", "run.started-at")

        ran = run(steps, PEOPLE)
        self.assertEqual(ran.names, ["number", "name", "double", "both", "one", "size", "loaded_at"])
        both = ["ADA2", "None4", "GRACE6"]
        ones = {"one": [1, 1, 1], "size": [1, 1, 1]}
        self.assertEqual(ran.columns, {"name": ["ADA", None, "GRACE"], "double": [2, 4, 6], "both": both, **ones})

    def test_what_a_step_has_made_reads_as_text_behind_it(self):
        def steps(config, rows):
            rows.derive("day", ["id"], lambda id: id, "date32")
            rows.map("day", lambda day: day[5:])

        self.assertEqual(run(steps, PEOPLE).columns, {"day": ["01-02", "01-03", "01-04"]})

    def test_a_rejected_row_is_not_seen_by_later_steps(self):
        seen = []

        def steps(config, rows):
            kept = rows.counter("kept")

            def keep(name):
                kept.count += 1
                seen.append(name)
                return name

            rows.reject_when(["id"], Reject("odd", "the row is not wanted"), lambda id: id % 2 == 1)
            rows.map("name", keep)

        ran = run(steps, PEOPLE)
        self.assertEqual(ran.rejects, [(0, "odd"), (2, "odd")])
        self.assertEqual((seen, ran.columns["name"], ran.counters), ([None], [None, None, None], {"kept": 1}))

    def test_reasons_past_the_limit_share_the_last_message(self):
        def reject(n):
            raise Reject(f"reason-{n}", "no")

        ran = run(lambda config, rows: rows.map("n", reject), {"n": ("int32", list(range(1000)))})
        self.assertEqual(len(ran.rejects), 1000)
        self.assertEqual((ran.rejects[254], ran.rejects[999]), ((254, "reason-254"), (999, "other")))

    def test_mistakes_in_a_plan_are_refusals_with_a_code(self):
        def refused(*steps):
            with self.assertRaises(Refusal) as refusal:
                run(lambda config, rows: [getattr(rows, name)(*rest) for name, *rest in steps], PEOPLE)
            return f"{refusal.exception.code}: {refusal.exception}"

        self.assertEqual(refused(["map", "nmae", str]), 'no-column: no column "nmae"; there are: "id", "name", "note"')
        self.assertEqual(refused(["rename", "id", "name"]), 'column-exists: there is a column "name" already')
        self.assertRegex(refused(["map", "name", str], ["cast", "name", "int32"]), "^not-an-input: ")
        self.assertRegex(refused(["cast", "id", "int64"], ["map", "id", str]), "^unreadable-column: ")
        names = iter(["name", "note"])
        with self.assertRaises(Refusal) as refusal:
            run(lambda config, rows: rows.map(next(names), str), PEOPLE)
        self.assertEqual(refusal.exception.code, "not-pure")
