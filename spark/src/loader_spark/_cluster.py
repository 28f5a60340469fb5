"""Has the tasks of a map done by Spark, and hands over their outcomes."""

import json
import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Callable

from . import _worker

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Take = Callable[[int, bytes], None]

_log = logging.getLogger("loader_spark")

_MOST_TASKS_AT_ONCE = 4096
# Over Spark Connect nobody tells; more tasks than cores do little harm.
_UNKNOWN = 16


def refuse(spark: "SparkSession") -> None:
    """Raises ``ValueError`` for settings of Spark under which the program cannot work."""
    memory = _setting(spark, "spark.executor.pyspark.memory")
    if memory:
        raise ValueError(
            f"spark.executor.pyspark.memory is {memory}: it bounds the address space of a worker, "
            "of which the sandbox of plugins reserves 4 GiB for each memory without using it; "
            "leave it out (spark.executor.memoryOverhead makes room for the workers)"
        )


def tasks_at_once(spark: "SparkSession") -> int:
    """How many tasks the cluster does at once, with all the executors that it may have."""
    context = _context(spark)
    at_once = context.defaultParallelism if context is not None else _UNKNOWN
    if str(_setting(spark, "spark.dynamicAllocation.enabled")).lower() == "true":
        executors = int(_setting(spark, "spark.dynamicAllocation.maxExecutors") or 0)
        at_once = max(at_once, executors * int(_setting(spark, "spark.executor.cores") or 1))
    return min(max(at_once, 1), _MOST_TASKS_AT_ONCE)


def do(spark: "SparkSession", name: str, spec: bytes, tasks: list[bytes], take: Take) -> None:
    """Has all tasks done, and hands over each outcome with the place of its task.

    Raises what Spark raises once a task has failed too often.
    """
    context = _context(spark)
    if context is not None:
        _do_by_rdd(context, name, spec, tasks, take)
    else:
        _do_by_dataframe(spark, name, spec, tasks, take)


def cancel(spark: "SparkSession", name: str) -> None:
    """Ends the tasks of a map, whose outcomes do not matter any more."""
    context = _context(spark)
    if context is not None:
        context.cancelJobGroup(name)
    else:
        spark.interruptTag(name)


def failure_of(error: BaseException) -> str:
    """What a failed map says to the program: what the last attempt said, if that can be found."""
    text = str(error)
    at = text.rfind(_worker.TaskFailed.MARK)
    if at >= 0:
        said = text[at + len(_worker.TaskFailed.MARK) :]
        try:
            failure, _ = json.JSONDecoder().raw_decode(said)
            failure["message"] = f"Spark gave up a task: {failure['message']}"
            return json.dumps(failure)
        except (ValueError, TypeError, KeyError):
            _log.debug("a failure cannot be read: %s", said)
    first = next((line for line in text.splitlines() if line.strip()), type(error).__name__)
    return json.dumps({"kind": "Transient", "message": f"Spark gave up the work: {first}"})


def _do_by_rdd(context: Any, name: str, spec: bytes, tasks: list[bytes], take: Take) -> None:
    sent = context.broadcast(spec)

    def work(numbered: tuple[int, bytes]) -> tuple[int, bytes]:
        place, task = numbered
        with _worker.child() as child:
            return place, child.do(sent.value, task)

    context.setJobGroup(name, "loader", interruptOnCancel=True)
    try:
        numbered = context.parallelize(list(enumerate(tasks)), len(tasks))
        for place, outcome in numbered.map(work).collect():
            take(place, outcome)
    finally:
        sent.destroy()


def _do_by_dataframe(
    spark: "SparkSession", name: str, spec: bytes, tasks: list[bytes], take: Take
) -> None:
    """The same where there is no context: over Spark Connect."""
    import pyarrow as pa

    def work(batches: Iterable["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        for batch in batches:
            places = batch.column(0).to_pylist()
            with _worker.child() as child:
                outcomes = [child.do(spec, tasks[place]) for place in places]
            yield pa.RecordBatch.from_arrays(
                [pa.array(places, pa.int64()), pa.array(outcomes, pa.binary())],
                ["place", "outcome"],
            )

    try:
        spark.addTag(name)
    except Exception:
        _log.debug("this engine knows no tags, so its tasks cannot be cancelled", exc_info=True)
    count = len(tasks)
    numbered = spark.range(0, count, 1, count)
    for row in numbered.mapInArrow(work, "place long, outcome binary").collect():
        take(row["place"], bytes(row["outcome"]))


def _context(spark: "SparkSession") -> Any:
    """The context of Spark; ``None`` over Spark Connect, which has none."""
    try:
        return spark.sparkContext
    except Exception:
        return None


def _setting(spark: "SparkSession", name: str) -> Any:
    context = _context(spark)
    if context is not None:
        return context.getConf().get(name)
    try:
        return spark.conf.get(name, None)
    except Exception:
        return None
