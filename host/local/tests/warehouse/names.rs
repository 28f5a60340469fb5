//! Names of 64 to 127 bytes, which PostgreSQL cannot keep: the warehouse takes them everywhere and
//! gives them back whole.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;

use crate::support::{ROLE, WORKGROUP, Warehouse};

/// Names that share their first 126 bytes.
fn long(end: char) -> String {
    format!("{}{end}", "näme_".repeat(21))
}

#[tokio::test]
async fn long_names() {
    assert_eq!(long('a').len(), 127);
    let warehouse = Warehouse::start().await;
    tables_and_columns(&warehouse).await;
    catalog(&warehouse).await;
    views_and_changes(&warehouse).await;
    loads(&warehouse).await;
    listings(&warehouse).await;
    let warehouse = warehouse.restarted().await;
    let names = "SELECT table_name FROM svv_columns WHERE column_name LIKE 'näme%b' ORDER BY 1";
    assert_eq!(
        warehouse.must(names).await,
        [long('s'), long('t')],
        "names outlive the process that stored them"
    );
    warehouse.stop().await;
}

async fn tables_and_columns(warehouse: &Warehouse) {
    let (schema, table, a, b) = (long('s'), long('t'), long('a'), long('b'));
    warehouse.must(&format!("CREATE SCHEMA \"{schema}\"")).await;
    let made = warehouse
        .transaction(&[
            &format!("CREATE TABLE {schema}.{table} (\"{a}\" varchar(4) NOT NULL, {b} int, c int)"),
            &format!("INSERT INTO {schema}.\"{}\" VALUES ('x', 1, 2)", table.to_ascii_uppercase()),
            &format!(
                "SELECT {b} AS \"{table}\", t.{a} || '{b}' FROM {schema}.{table} t WHERE \
                      t.\"{a}\" = 'x'"
            ),
            &format!("SELECT table_name FROM svv_columns WHERE column_name = '{b}'"),
        ])
        .await;
    assert_eq!(
        made[1..],
        ["FINISHED 0", "FINISHED 1", &format!("FINISHED 1|x{b}"), &format!("FINISHED {table}")]
    );

    // Names of 128 bytes and more are cut at a character: `…_a` and `…_abc` are one column.
    warehouse.must(&format!("CREATE TABLE cut ({}äxyz int, {a}bc int)", "n".repeat(126))).await;
    let columns = "SELECT column_name FROM svv_columns WHERE table_name = 'cut' ORDER BY 1";
    assert_eq!(warehouse.must(columns).await, ["n".repeat(126), a.clone()]);
    let twice = warehouse.error(&format!("CREATE TABLE twice ({a} int, {a}z int)")).await;
    assert_eq!(twice, format!("ERROR: column \"{a}\" specified more than once"));

    let (table, unknown) = (format!("{schema}.{table}"), long('z'));
    for (sql, expected) in [
        (
            format!("SELECT {unknown} FROM {table}"),
            format!("ERROR: column \"{unknown}\" does not exist"),
        ),
        (
            format!("SELECT * FROM {schema}.{unknown}"),
            format!("ERROR: relation \"{schema}.{unknown}\" does not exist"),
        ),
        (
            format!("INSERT INTO {table} (c) VALUES (1)"),
            format!("ERROR: Cannot insert a NULL value into column {a}"),
        ),
        (
            format!("ALTER TABLE {table} ADD COLUMN {b} int"),
            format!("ERROR: column \"{b}\" of relation \"{}\" already exists", long('t')),
        ),
        (
            format!("SELECT {a} FROM {table} FROM x"),
            "ERROR: syntax error at or near \"FROM\"\n  Position: 334".to_owned(),
        ),
        (
            format!("CREATE TABLE x (\"{a}\" int check (1))"),
            "ERROR: CHECK constraints are not supported".to_owned(),
        ),
    ] {
        assert_eq!(warehouse.error(&sql).await, expected, "{sql}");
    }
}

async fn catalog(warehouse: &Warehouse) {
    let (schema, table, b) = (long('s'), long('t'), long('b'));
    let oid = format!(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relname = '{table}' AND n.nspname = '{schema}' AND c.oid = \
         '{schema}.{table}'::regclass"
    );
    assert_eq!(warehouse.must(&oid).await, [format!("{schema}|{table}")]);
    let column = format!(
        "SELECT a.attname, a.attrelid::regclass FROM pg_attribute a WHERE a.attrelid = \
         to_regclass('{schema}.{table}') AND a.attnum = 2"
    );
    assert_eq!(warehouse.must(&column).await, [format!("{b}|\"{schema}\".\"{table}\"")]);
    let tables =
        format!("SELECT table_schema, table_name FROM svv_tables WHERE table_name = '{table}'");
    assert_eq!(warehouse.must(&tables).await, [format!("{schema}|{table}")]);
    assert_eq!(
        warehouse
            .must("SELECT COUNT(*) FROM pg_class WHERE relname IN ('long_names', 'loads')")
            .await,
        ["0"]
    );
}

async fn views_and_changes(warehouse: &Warehouse) {
    let (table, view, a, b) =
        (format!("{0}.{1}", long('s'), long('t')), long('v'), long('a'), long('b'));
    warehouse.must(&format!("CREATE VIEW {view} AS SELECT {b} + 1 AS {a} FROM {table}")).await;
    assert_eq!(warehouse.must(&format!("SELECT {a} FROM {view}")).await, ["2"]);
    let definition =
        warehouse.must(&format!("SELECT pg_get_viewdef('{view}'::regclass)")).await.join("\n");
    assert!(
        definition.contains(&format!("AS \"{a}\"")) && !definition.contains("xl_"),
        "{definition}"
    );
    let blocked = warehouse.error(&format!("DROP TABLE {table}")).await;
    assert!(blocked.contains(&format!("view \"{view}\" depends on table")), "{blocked}");

    warehouse.must(&format!("DROP VIEW {view}")).await;
    warehouse.must(&format!("ALTER TABLE {table} ALTER COLUMN {a} TYPE varchar(9)")).await;
    let same =
        warehouse.error(&format!("ALTER TABLE {table} ALTER COLUMN {a} TYPE varchar(9)")).await;
    assert!(same.starts_with(&format!("ERROR: cannot alter column \"{a}\" of relation")), "{same}");
    warehouse.must(&format!("ALTER TABLE {table} RENAME COLUMN c TO {}", long('c'))).await;
    warehouse.must(&format!("COMMENT ON TABLE {table} IS 'it has a name'")).await;
    warehouse.must(&format!("UPDATE {table} SET {b} = {b} + {} WHERE {a} = 'x'", long('c'))).await;
    assert_eq!(warehouse.must(&format!("SELECT * FROM {table}")).await, ["x|3|2"]);
}

async fn loads(warehouse: &Warehouse) {
    let (a, b, target) = (long('a'), long('b'), long('s'));
    warehouse.must(&format!("CREATE TABLE {target} ({a} int, {b} int NOT NULL)")).await;
    warehouse.put("n.csv", "1,2\n");
    warehouse
        .must(&format!("COPY {target} (\"{b}\", {a}) FROM 's3://demo/n.csv' {ROLE} CSV"))
        .await;
    assert_eq!(warehouse.must(&format!("SELECT {a}, {b} FROM {target}")).await, ["2|1"]);
    let unknown = warehouse
        .error(&format!("COPY {target} ({}) FROM 's3://demo/n.csv' {ROLE} CSV", long('z')))
        .await;
    assert_eq!(
        unknown,
        format!("ERROR: column \"{}\" of relation \"{target}\" does not exist", long('z'))
    );
    warehouse.put("bad.csv", "1,x\n");
    let failed =
        warehouse.error(&format!("COPY {target} FROM 's3://demo/bad.csv' {ROLE} CSV")).await;
    assert!(failed.starts_with(&format!("ERROR: Load into table '{target}' failed.")), "{failed}");
    assert_eq!(
        warehouse.must("SELECT TRIM(column_name) FROM sys_load_error_detail").await,
        std::slice::from_ref(&b)
    );
    let history = format!(
        "SELECT status FROM sys_load_history WHERE table_name = '{target}' ORDER BY start_time"
    );
    assert_eq!(warehouse.must(&history).await, ["completed", "aborted", "aborted"]);

    let file = |second: ArrayRef| {
        let columns: [(&str, ArrayRef, bool); 2] =
            [(&a, Arc::new(Int32Array::from(vec![7])), true), (&b, second, true)];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    };
    warehouse.put("n.parquet", file(Arc::new(Int32Array::from(vec![8]))));
    let copy = format!("COPY {target} ({a}, {b}) FROM 's3://demo/n.parquet' {ROLE} PARQUET");
    assert_eq!(warehouse.must(&copy).await, ["1"]);
    warehouse.put("n.parquet", file(Arc::new(Int32Array::from(vec![None]))));
    assert_eq!(
        warehouse.error(&copy).await,
        format!("ERROR: Cannot insert a NULL value into column {b}")
    );
    warehouse.put("n.parquet", file(Arc::new(Int64Array::from(vec![8]))));
    let mismatch = warehouse.error(&copy).await;
    assert!(mismatch.contains(&format!("optional int64 {b}")), "{mismatch}");
}

async fn listings(warehouse: &Warehouse) {
    let (schema, table, a) = (long('s'), long('t'), long('a'));
    let client = &warehouse.client;
    let schemas =
        client.list_schemas().workgroup_name(WORKGROUP).database("dev").schema_pattern("näme%s");
    assert_eq!(schemas.send().await.unwrap().schemas(), [schema.as_str()]);
    let tables =
        client.list_tables().workgroup_name(WORKGROUP).database("dev").table_pattern(&table);
    let tables = tables.send().await.unwrap();
    assert_eq!(tables.tables()[0].name(), Some(table.as_str()));
    let described = client
        .describe_table()
        .workgroup_name(WORKGROUP)
        .database("dev")
        .schema(&schema)
        .table(&table);
    assert_eq!(described.send().await.unwrap().column_list()[0].name(), Some(a.as_str()));
}
