//! COPY of Parquet: by position, types exactly equal, lengths in bytes, manifests that state the
//! files' lengths.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::Encoding;
use parquet::file::properties::WriterProperties;

use crate::support::{ROLE, Warehouse};

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    written(columns, WriterProperties::default())
}

fn written(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap())
}

/// Puts the file and a manifest that names it; returns the COPY.
fn staged(warehouse: &Warehouse, table: &str, file: &[u8]) -> String {
    warehouse.put("stage/part-0.parquet", file);
    let length = file.len();
    warehouse.put(
        "stage/manifest",
        format!(
            "{{\"entries\": [{{\"url\": \"s3://demo/stage/part-0.parquet\", \"mandatory\": \
                 true, \"meta\": {{\"content_length\": {length}}}}}]}}"
        ),
    );
    format!("COPY {table} FROM 's3://demo/stage/manifest' {ROLE} FORMAT AS PARQUET MANIFEST")
}

#[tokio::test]
async fn parquet_files() {
    let warehouse = Warehouse::start().await;
    values(&warehouse).await;
    mismatches(&warehouse).await;
    unproved_files(&warehouse).await;
    manifests(&warehouse).await;
    warehouse.stop().await;
}

async fn values(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE kinds (a int, b bigint, c decimal(38,18), d double precision, e \
               boolean, f date, g timestamp, h varchar(9), i decimal(10,2))",
        )
        .await;
    let file = parquet(vec![
        ("x1", Arc::new(Int32Array::from(vec![Some(1), None]))),
        ("x2", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        (
            "x3",
            decimals(
                vec![Some(99_999_999_999_999_999_999_999_999_999_999_999_999), Some(-1)],
                38,
                18,
            ),
        ),
        ("x4", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("x5", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("x6", Arc::new(Date32Array::from(vec![Some(-1), None]))),
        ("x7", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_709_168_523_500_000), None]))),
        ("x8", Arc::new(StringArray::from(vec![Some("äöü\"\\\n"), Some("")]))),
        ("x9", decimals(vec![Some(-120), None], 10, 2)),
    ]);
    assert_eq!(warehouse.must(&staged(warehouse, "kinds", &file)).await, ["2"]);
    assert_eq!(
        warehouse.must("SELECT * FROM kinds ORDER BY a").await,
        [
            "1|-9223372036854775808|99999999999999999999.999999999999999999|0.1|true|1969-12-31|2024-02-29 \
             01:02:03.5|äöü\"\\\n|-1.20",
            "null|null|-0.000000000000000001|null|null|null|null||null",
        ]
    );
}

async fn mismatches(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE narrow (id int NOT NULL, name varchar(4))").await;
    let text = |values: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringArray::from(values)) };
    let ints = |values: Vec<Option<i32>>| -> ArrayRef { Arc::new(Int32Array::from(values)) };
    for (columns, expected) in [
        (
            vec![("id", ints(vec![Some(1)]))],
            "Unmatched number of columns between table and file. Table columns: 2, Data columns: \
             1, File name: s3://demo/stage/part-0.parquet",
        ),
        (
            vec![
                ("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
                ("name", text(vec![None])),
            ],
            "has an incompatible Parquet schema for column 's3://demo/stage/part-0.parquet.id'. \
             Column type: INT, Parquet schema: optional int64 id",
        ),
        (
            vec![("id", ints(vec![Some(1)])), ("name", ints(vec![Some(1)]))],
            "Column type: VARCHAR(4), Parquet schema: optional int32 name",
        ),
        (
            vec![("id", ints(vec![Some(1)])), ("name", text(vec![Some("äää")]))],
            "The length of the data column name is longer than the length defined in the table. \
             Table: 4, Data: 6",
        ),
        (
            vec![("id", ints(vec![None])), ("name", text(vec![None]))],
            "Cannot insert a NULL value into column id",
        ),
    ] {
        let error = warehouse.error(&staged(warehouse, "narrow", &parquet(columns))).await;
        assert!(error.starts_with("ERROR: ") && error.contains(expected), "{error}");
    }
    warehouse.must("CREATE TABLE exact (d decimal(18,2))").await;
    let error = warehouse
        .error(&staged(warehouse, "exact", &parquet(vec![("d", decimals(vec![Some(1)], 18, 3))])))
        .await;
    assert!(
        error.contains("code:      15007") && error.contains("Column type: DECIMAL(18, 2)"),
        "{error}"
    );
    let error = warehouse.error(&staged(warehouse, "exact", b"PAR1 this is none")).await;
    assert!(error.contains("is not readable as Parquet"), "{error}");
    assert_eq!(warehouse.must("SELECT COUNT(*) FROM narrow").await, ["0"]);
}

/// Files that Redshift may read, or reads wrong.
async fn unproved_files(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE moments (at timestamp)").await;
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1_000]));
    let error = warehouse.error(&staged(warehouse, "moments", &parquet(vec![("at", nanos)]))).await;
    assert!(
        error.contains("Column type: TIMESTAMP, Parquet schema: optional int64 at [i:0 d:1 r:0]"),
        "{error}"
    );
    warehouse.must("CREATE TABLE numbers (n int)").await;
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let deltas = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BINARY_PACKED)
        .build();
    let file = written(vec![("n", numbers)], deltas);
    let error = warehouse.error(&staged(warehouse, "numbers", &file)).await;
    assert!(
        error.contains("uses an unsupported encoding: DELTA_BINARY_PACKED for column 'n'"),
        "{error}"
    );
}

async fn manifests(warehouse: &Warehouse) {
    let file = parquet(vec![("d", decimals(vec![Some(1)], 18, 2))]);
    let copy = staged(warehouse, "exact", &file);
    warehouse.put("stage/part-0.parquet", [&file[..], b"x"].concat());
    let error = warehouse.error(&copy).await;
    assert!(error.contains("Problem reading manifest file"), "{error}");
    warehouse
        .put("stage/manifest", "{\"entries\": [{\"url\": \"s3://demo/stage/part-0.parquet\"}]}");
    let error = warehouse.error(&copy).await;
    assert!(error.contains("content_length is required"), "{error}");
    warehouse.put("stage/manifest", "{\"entries\": []}");
    assert_eq!(warehouse.must(&copy).await, ["0"]);
    let staged = staged(warehouse, "exact", &file);
    let batch = warehouse
        .transaction(&[
            "CREATE TEMP TABLE part (LIKE exact, n decimal(9,1))",
            &staged.replace("COPY exact", "COPY part (d)"),
            "SELECT * FROM part",
        ])
        .await;
    assert_eq!(batch[3], "FINISHED 0.01|null");
}
