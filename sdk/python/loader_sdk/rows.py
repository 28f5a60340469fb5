"""A transform as steps over named columns.

The same steps make the plan and its sessions. The plan's state carries what the steps depend on, and each session calls
them again.
"""

import json
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Callable, NamedTuple

from .columns import Column
from .ipc import Field, decode_batch, decode_schema, encode_batch, encode_schema

# How many messages the host takes for one batch. All reasons past the first 255 share the last message.
_MAX_REASONS = 256
_HOST_VALUES = {
    "run.started-at": "timestamp",
    "run.id": "utf8",
    "source.file-name": "utf8",
    "source.uri": "utf8",
    "source.row": "int64",
}


class Refusal(Exception):
    """Why a plan cannot be made. It ends the load before any row is read. A mistake in the config has the code
    `bad-config`."""

    def __init__(self, code: str, message: str, column: str | None = None):
        super().__init__(message)
        self.code, self.message, self.column = code, message, column


class Reject(Exception):
    """Why a row is not loaded; a step raises it. Never put the value of a cell into the message: it ends up in logs."""

    def __init__(self, code: str, message: str, column: str | None = None):
        super().__init__(message)
        self.code, self.message, self.column = code, message, column


@dataclass
class Counter:
    """A number for the report of the load. To count, write `counter.count += 1`."""

    name: str
    count: int = 0


class Source(NamedTuple):
    """Where a column comes from, in the contract's words: `passthrough`, `cast`, `host-value` or `computed`."""

    tag: str
    value: Any


@dataclass
class _Column:
    name: str
    type: str
    nullable: bool
    source: Source


@dataclass
class _Step:
    sources: list[Source]
    # Whether `compute` takes texts in place of values.
    takes_texts: bool
    compute: Callable
    name: str | None = None
    type: str = "utf8"


class Rows:
    """The columns of a table on their way through a transform's steps.

    The list begins with the columns of the input. The columns after the last step are the output, in their order. A
    column that no step reads never enters the sandbox. Later steps do not see a row that a step has rejected.
    """

    def __init__(self, table: str, keys: list[str], columns: list[Field]):
        self.table, self.keys = table, keys
        self.columns = [_Column(*column, Source("passthrough", index)) for index, column in enumerate(columns)]
        self.counters: list[Counter] = []
        self._steps: list[_Step] = []

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def map(self, name: str, compute: Callable, type_name: str = "utf8") -> None:
        """Computes a column anew from its own text. NULL comes and goes as None. The column keeps its place."""
        column = self._find(name)
        source = self._add(_Step([self._source(name)], True, compute, name, type_name))
        column.type, column.nullable, column.source = type_name, True, source

    def derive(
        self, name: str, inputs: list[str], compute: Callable, type_name: str = "utf8", *, texts: bool = False
    ) -> None:
        """Computes a column from the values of other columns. It replaces the column of this name, or comes last when
        there is none. With `texts`, `compute` gets the columns' texts, as with `map`."""
        source = self._add(_Step([self._source(input) for input in inputs], texts, compute, name, type_name))
        column = _Column(name, type_name, True, source)
        if self.has(name):
            self.columns[self.columns.index(self._find(name))] = column
        else:
            self.columns.append(column)

    def reject_when(self, inputs: list[str], reject: Reject, is_bad: Callable) -> None:
        """Rejects the rows for which `is_bad` returns true."""

        def compute(*values):
            if is_bad(*values):
                raise reject

        self._add(_Step([self._source(input) for input in inputs], False, compute))

    def cast(self, name: str, type_name: str) -> None:
        """Has the host cast an input column, exactly or by rejecting the row. The column does not enter the sandbox, so
        no later step can read it."""
        column = self._find(name)
        if column.source.tag != "passthrough":
            raise Refusal("not-an-input", f'column "{name}" cannot be cast: only an input column can, and once', name)
        column.type, column.source = type_name, Source("cast", column.source.value)

    def rename(self, name: str, new_name: str) -> None:
        column = self._find(name)
        if name != new_name:
            self._refuse_existing(new_name)
        column.name = new_name

    def drop(self, name: str) -> None:
        self.columns.remove(self._find(name))

    def host_value(self, name: str, key: str) -> None:
        """Adds a column with a value that the host knows: `run.started-at`, `run.id`, `source.file-name` …"""
        self._refuse_existing(name)
        self.columns.append(_Column(name, _HOST_VALUES[key], False, Source("host-value", key)))

    def counter(self, name: str) -> Counter:
        """Makes a number for the report of the load."""
        self.counters.append(Counter(name))
        return self.counters[-1]

    @property
    def inputs(self) -> list[int]:
        """Input columns that steps read, ascending."""
        sources = (source for step in self._steps for source in step.sources)
        return sorted({source.value for source in sources if source.tag == "passthrough"})

    @property
    def outputs(self) -> list[Source]:
        """Where the columns come from. Computed columns are numbered in the order in which `run` returns them."""
        # A step that only rejects rows, or whose column was dropped, leaves a gap in the numbers of the steps. The
        # contract's numbers of computed columns have none, so they are counted anew.
        outputs, computed = [], 0
        for column in self.columns:
            is_computed = column.source.tag == "computed"
            outputs.append(Source("computed", computed) if is_computed else column.source)
            computed += is_computed
        return outputs

    def run(self, rows: int, read: Callable) -> tuple[list[tuple[str, list]], "Rejects"]:
        """Runs the steps over one batch. `read` gives the column of an input."""
        # Every step adds to `computed`, also a step that only rejects rows, because the value of a computed source is
        # the number of its step.
        rejects, computed = Rejects(), []
        for step in self._steps:
            found = [computed[value] if tag == "computed" else read(value) for tag, value in step.sources]
            sources = [column.texts if step.takes_texts else column.values for column in found]
            computed.append(Column.of(step.type, _computed(step, rows, sources, rejects)))
        made = [computed[column.source.value] for column in self.columns if column.source.tag == "computed"]
        return [(column.type, column.values) for column in made], rejects

    def _add(self, step: _Step) -> Source:
        self._steps.append(step)
        return Source("computed", len(self._steps) - 1)

    def _source(self, name: str) -> Source:
        source = self._find(name).source
        if source.tag in ("passthrough", "computed"):
            return source
        raise Refusal("unreadable-column", f'column "{name}" is filled by the host, no step can read it', name)

    def _find(self, name: str) -> _Column:
        match [column for column in self.columns if column.name == name]:
            case [column]:
                return column
            case []:
                names = ", ".join(json.dumps(column.name, ensure_ascii=False) for column in self.columns[:40])
                raise Refusal("no-column", f'no column "{name}"; there are: {names}', name)
        raise Refusal("ambiguous-column", f'there are several columns named "{name}"', name)

    def _refuse_existing(self, name: str) -> None:
        if self.has(name):
            raise Refusal("column-exists", f'there is a column "{name}" already', name)


# A rejected row has None in this and all later columns, because the contract wants a value for each row of the batch. A
# step without sources has no columns to go through, so it gets an empty tuple for each row.
def _computed(step: _Step, rows: int, sources: list[list], rejects: "Rejects") -> list:
    values, compute = [None] * rows, step.compute
    for row, cells in enumerate(zip(*sources) if sources else repeat((), rows)):
        if row in rejects.reasons:
            continue
        try:
            values[row] = compute(*cells)
        except Reject as reject:
            rejects.add(row, reject, step.name)
    return values


class Rejects:
    """The rows of one batch that are not loaded. Rows with the same reason share one message."""

    def __init__(self):
        self.reasons: dict[int, int] = {}
        self._messages: dict[tuple, int] = {}

    def add(self, row: int, reject: Reject, of_step: str | None) -> None:
        message = (reject.code, reject.message, reject.column or of_step)
        if message not in self._messages and len(self._messages) >= _MAX_REASONS - 1:
            message = ("other", "rejected for a reason past the 255 that one batch can tell apart", None)
        self.reasons[row] = self._messages.setdefault(message, len(self._messages))

    def parts(self) -> tuple[list[int], list[int], list[tuple]]:
        """The rejected rows, ascending; a reason for each of them; and the messages that the reasons point to."""
        rows = sorted(self.reasons)
        return rows, [self.reasons[row] for row in rows], list(self._messages)


class Plan(NamedTuple):
    """A plan as the contract has it."""

    inputs: list[int]
    schema: bytes
    outputs: list[Source]
    state: bytes


def make_plan(steps: Callable, table: str, keys: list[str], config: str, schema: bytes) -> Plan:
    """The contract's `make-plan`."""
    columns = decode_schema(schema)
    rows = Rows(table, keys, columns)
    steps(json.loads(config or "{}"), rows)
    state = {"table": table, "keys": keys, "config": config, "columns": columns, "inputs": rows.inputs}
    output = [Field(column.name, column.type, column.nullable) for column in rows.columns]
    return Plan(rows.inputs, encode_schema(output), rows.outputs, json.dumps(state).encode())


class OpenSession:
    """The contract's `session`."""

    def __init__(self, steps: Callable, state: bytes):
        known = json.loads(state)
        self._rows = Rows(known["table"], known["keys"], [Field(*column) for column in known["columns"]])
        steps(json.loads(known["config"] or "{}"), self._rows)
        self._inputs = self._rows.inputs
        if self._inputs != known["inputs"]:
            raise Refusal("not-pure", "the steps read other columns than they did when the plan was made")
        self._types = [known["columns"][index][1] for index in self._inputs]

    def process(self, message: bytes) -> tuple[bytes, Rejects]:
        """The message of the computed columns, and the rejected rows."""
        rows, columns = decode_batch(message, self._types)
        computed, rejects = self._rows.run(rows, dict(zip(self._inputs, columns)).__getitem__)
        return encode_batch(rows, computed) if computed else b"", rejects

    def counters(self) -> list[Counter]:
        return self._rows.counters
