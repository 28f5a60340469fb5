"""Transform plugins for loader in Python: steps over named columns, without a word of Arrow.

A plugin is a module `transform`:

    from loader_sdk import Reject, plugin

    def steps(config, rows):
        rows.map("email", lambda email: email and email.lower())
        rows.derive("name", ["first", "last"], lambda first, last: f"{first} {last}")
        rows.reject_when(["age"], Reject("minor", "customers are at least 18"), lambda age: age and age < 18)

    Transform, Session = plugin(steps)
"""

from .component import plugin
from .rows import Counter, Refusal, Reject, Rows

__all__ = ["Counter", "Refusal", "Reject", "Rows", "plugin"]
