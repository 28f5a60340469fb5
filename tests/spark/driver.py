"""A Spark driver for the tests: one session, and a load for each line of stdin.

A line is JSON: the load's number, its arguments, its variables, its folder, and the files for what it
prints. For each load that has ended, a line on stdout has its number and its exit code.
"""

import json
import sys
import threading

from pyspark.sql import SparkSession

from loader_spark import run


def main() -> None:
    builder = SparkSession.builder.appName("loader-tests")
    for setting in sys.argv[1:]:
        name, value = setting.split("=", 1)
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    lock = threading.Lock()

    def say(answer: dict) -> None:
        with lock:
            print(json.dumps(answer), flush=True)

    def load(order: dict) -> None:
        with open(order["stdout"], "wb") as out, open(order["stderr"], "wb") as log:
            code = run(order["arguments"], spark=spark, env=order["env"], cwd=order["cwd"], stdout=out, stderr=log)
        say({"number": order["number"], "code": code})

    say({"number": -1, "code": 0, "version": spark.version})
    for line in sys.stdin:
        threading.Thread(target=load, args=(json.loads(line),)).start()
    spark.stop()


if __name__ == "__main__":
    main()
