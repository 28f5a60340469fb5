"""Runs a transform's steps natively, for tests with `python -m unittest`."""

import json
from typing import Callable, NamedTuple

from .ipc import Field, decode_batch, decode_schema, encode_batch, encode_schema
from .rows import OpenSession, make_plan


class Ran(NamedTuple):
    """Names of all columns, computed columns by name, rejected rows with their codes, counters."""

    names: list[str]
    columns: dict[str, list]
    rejects: list[tuple[int, str]]
    counters: dict[str, int]


def run(steps: Callable, columns: dict, config: dict | None = None, keys: list[str] | None = None) -> Ran:
    """Runs `steps` over columns, such as `{"email": ["a@x", None]}`, by way of the contract's messages. A column is a
    list of texts, or a tuple of a type and a list of values, such as `("int32", [1, None])`."""
    typed = [column if isinstance(column, tuple) else ("utf8", column) for column in columns.values()]
    schema = encode_schema([Field(name, type_name) for name, (type_name, _) in zip(columns, typed)])
    plan = make_plan(steps, "t", keys or [], json.dumps(config or {}), schema)
    session = OpenSession(steps, plan.state)
    message, rejects = session.process(encode_batch(len(typed[0][1]), [typed[index] for index in plan.inputs]))
    fields = decode_schema(plan.schema)
    computed = [field for field, output in zip(fields, plan.outputs) if output.tag == "computed"]
    read = decode_batch(message, [field.type for field in computed])[1] if computed else []
    rows, reasons, messages = rejects.parts()
    return Ran(
        [field.name for field in fields],
        {field.name: column.values for field, column in zip(computed, read)},
        [(row, messages[reason][0]) for row, reason in zip(rows, reasons)],
        {counter.name: counter.count for counter in session.counters()},
    )
