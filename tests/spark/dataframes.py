"""DataFrames through plugins, on a real cluster: the first argument is the folder of the plugins."""

import datetime
import decimal
import sys

from pyspark.sql import SparkSession, functions

from loader_spark import transform


def main() -> None:
    plugins, settings = sys.argv[1], sys.argv[2:]
    builder = SparkSession.builder.appName("loader-dataframes")
    for setting in settings:
        name, value = setting.split("=", 1)
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    rows_go_through_plugins(spark, plugins)
    rejected_rows_fail_the_job(spark, plugins)
    what_does_not_fit_is_refused(spark, plugins)
    spark.stop()
    print("all is well")


def rows_go_through_plugins(spark, plugins: str) -> None:
    moment = datetime.datetime(2026, 1, 31, 10, 30, tzinfo=datetime.timezone.utc)
    df = spark.range(0, 20_000, 1, 4).select(
        functions.col("id").alias("Order Id"),
        functions.format_string("Name %d", "id").alias("Name"),
        functions.lit("a@example.com").alias("email"),
        functions.lit(moment).alias("at"),
        (functions.col("id") / 4).cast("decimal(12,2)").alias("amount"),
    )
    clean = transform(
        df, plugins=["default", (f"{plugins}/mask_pii.wasm", MASK)], table="orders", keys=["order_id"]
    )
    columns = [name for name, _ in clean.dtypes]
    assert columns[:5] == ["order_id", "name", "email", "at", "amount"], columns
    rows = clean.orderBy("order_id").collect()
    assert len(rows) == 20_000
    row = rows[7]
    assert (row["order_id"], row["name"]) == (7, "Name 7"), row
    assert row["amount"] == decimal.Decimal("1.75"), row
    assert row["at"].astimezone(datetime.timezone.utc) == moment, row
    assert row["email"] != "a@example.com", row
    assert len({row["email"] for row in rows}) == 1


MASK = {"columns": ["email"]}


def rejected_rows_fail_the_job(spark, plugins: str) -> None:
    rows = [(1, "12.5", "USD"), (2, "3", "EUR"), (3, "7", "GBP")]
    df = spark.createDataFrame(rows, "id int, price string, currency string")
    through = dict(plugins=[(f"{plugins}/currency.wasm", CURRENCY)], table="prices")
    try:
        transform(df, **through).collect()
    except Exception as error:  # noqa: BLE001 - Spark wraps it in its own
        assert "plugins rejected 1 rows" in str(error), error
    else:
        raise AssertionError("a rejected row went by")
    left = transform(df, on_reject="drop", **through).collect()
    assert [(row["id"], str(row["euros"])) for row in left] == [(1, "6.25"), (2, "3.00")], left


CURRENCY = {"amount": "price", "to": "EUR", "output": "euros", "rates": {"USD": "0.5"}}


def what_does_not_fit_is_refused(spark, plugins: str) -> None:
    def refusal(df, **more) -> str:
        try:
            transform(df, table="t", **more)
        except ValueError as error:
            return str(error)
        raise AssertionError("it was not refused")

    arrays = spark.createDataFrame([([1],)], "a array<int>")
    said = refusal(arrays, plugins=["default"])
    assert "column `a` of the DataFrame is List" in said, said
    numbers = spark.createDataFrame([(1,)], "a int")
    said = refusal(numbers, plugins=[("default", {"nonsense": 1})])
    assert "nonsense" in said, said
    said = refusal(numbers, plugins=[(f"{plugins}/hostile.wasm", {"do": "host-values"})])
    assert "asks for source.row" in said, said


main()
