"""DataFrames through plugins: the same sandbox, without a load."""

import json
import logging
import os
import struct
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Union,
)

from . import _frames, _worker

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_log = logging.getLogger("loader_spark")

Plugin = Union[str, "os.PathLike[str]", tuple[Union[str, "os.PathLike[str]"], Mapping[str, Any]]]
"""A plugin's file, or ``default`` for the one in the program; with its config, if there is one."""


class RowsRejected(ValueError):
    """Plugins have rejected rows, and nobody has said that they may be dropped."""


def transform(
    df: "DataFrame",
    *,
    plugins: Sequence[Plugin],
    table: str,
    keys: Sequence[str] = (),
    source: str = "",
    on_reject: str = "raise",
) -> "DataFrame":
    """Takes the rows of a DataFrame through plugins, as a load into ``table`` does.

    The plugins plan once, here; a plan that asks for ``source.row`` is refused, as the rows of a
    DataFrame have no numbers. ``source`` is what plugins get as the address of the file.
    ``on_reject``: ``raise`` fails the job at the first part with a row that a plugin rejects,
    ``drop`` leaves such rows out, and logs how many.

    Raises ``ValueError`` for plugins, configs and columns that do not fit.
    """
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    if on_reject not in ("raise", "drop"):
        raise ValueError(f"on_reject is {on_reject!r}, and must be 'raise' or 'drop'")
    columns = _plain(to_arrow_schema(df.schema))
    spec, output = _plan(columns, plugins, table, list(keys), source)
    result = pa.schema([_for_spark(field) for field in output])

    def through(batches: Iterable["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        with _worker.child() as child:
            child.ask(_frames.OPEN, spec)
            for batch in batches:
                sent = pa.RecordBatch.from_arrays(
                    [_cast(column, field.type) for column, field in zip(batch.columns, columns)],
                    schema=columns,
                )
                answer = child.ask(_frames.BATCH, sent.serialize().to_pybytes())
                made = pa.ipc.read_record_batch(pa.py_buffer(answer), output)
                yield pa.RecordBatch.from_arrays(
                    [_cast(column, field.type) for column, field in zip(made.columns, result)],
                    schema=result,
                )
            ended = json.loads(child.ask(_frames.FINISH))
        if ended["rejected"]:
            first = "; ".join(ended["told"])
            fact = f"plugins rejected {ended['rejected']} rows of a part: {first}"
            if on_reject == "raise":
                raise RowsRejected(f"{fact}; on_reject='drop' leaves such rows out")
            _log.warning("%s", fact)

    return df.mapInArrow(through, from_arrow_schema(result))


def _plan(
    columns: "pa.Schema", plugins: Sequence[Plugin], table: str, keys: list[str], source: str
) -> tuple[bytes, "pa.Schema"]:
    """The spec of a plan, and the columns that it makes."""
    import pyarrow as pa

    asked: list[dict[str, Any]] = []
    contents: list[bytes] = []
    for plugin in plugins:
        path, config = plugin if isinstance(plugin, tuple) else (plugin, {})
        content = b"" if str(path) == "default" else Path(path).read_bytes()
        asked.append({"name": str(path), "config": dict(config), "bytes": len(content)})
        contents.append(content)
    values = {
        "run_started_at_micros": int(time.time()) * 1_000_000,
        "run_id": uuid.uuid4().hex,
        "source_file_name": source.rsplit("/", 1)[-1],
        "source_uri": source,
    }
    request = {"table": table, "keys": keys, "plugins": asked, "values": values}
    head = json.dumps(request).encode()
    schema = columns.serialize().to_pybytes()
    try:
        with _worker.child() as child:
            answer = child.ask(_frames.PLAN, struct.pack("<I", len(head)), head, *contents, schema)
    except _worker.TaskFailed as error:
        raise ValueError(error.message()) from None
    (length,) = struct.unpack_from("<I", answer)
    spec, output = answer[4 : 4 + length], answer[4 + length :]
    return spec, pa.ipc.read_schema(pa.py_buffer(output))


def _plain(schema: "pa.Schema") -> "pa.Schema":
    """The columns as plugins know them: moments are those of UTC, and without a zone."""
    import pyarrow as pa

    def plain(field: "pa.Field") -> "pa.Field":
        if pa.types.is_timestamp(field.type):
            return field.with_type(pa.timestamp("us"))
        if pa.types.is_large_string(field.type):
            return field.with_type(pa.string())
        return field

    return pa.schema([plain(field) for field in schema])


def _for_spark(field: "pa.Field") -> "pa.Field":
    """The column as Spark knows it: moments have a zone."""
    import pyarrow as pa

    if pa.types.is_timestamp(field.type):
        return pa.field(field.name, pa.timestamp("us", tz="UTC"), field.nullable)
    return pa.field(field.name, field.type, field.nullable)


def _cast(column: "pa.Array", to: "pa.DataType") -> "pa.Array":
    return column if column.type == to else column.cast(to)
