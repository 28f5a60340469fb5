//! The transaction as text, for each way of loading.

mod glue_keys;
mod several_files;

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::Strategy;
use loader_model::column_type::ColumnType;
use loader_model::names::{S3Uri, TableName};
use loader_model::target_column::{Fill, FilledColumn, TargetColumn};

use super::*;
use crate::audit_table::{AuditRow, AuditTable, AuditedFile};

fn built(change: impl FnOnce(&mut LoadBatch<'_>)) -> LoadStatements {
    let target = TableName::new("public", "orders").expect("a valid name");
    let source = S3Uri::new("b", "data/in/o'brien.csv");
    let manifest = S3Uri::new("b", "data/staging/orders_o/run/manifest.json");
    let column = |name: &str, column_type, not_null| TargetColumn {
        name: name.into(),
        column_type,
        not_null,
        staged_as_text: false,
    };
    let columns = [
        column("id", ColumnType::Integer, true),
        column("select", ColumnType::Varchar { bytes: 256 }, false),
    ];
    let keys = ["id".to_owned()];
    // The note was VARCHAR(100) before the load widened it.
    let existing = ["integer", "character varying(100)"].map(|type_text| CatalogColumn {
        name: if type_text == "integer" { "id".into() } else { "select".into() },
        column_type: ColumnType::from_catalog(type_text),
        type_text: type_text.into(),
        nullable: true,
        number: 1,
        default: ColumnDefault::None,
    });
    let creation = ["CREATE TABLE orders".to_owned(), "CREATE VIEW v_orders".to_owned()];
    let mut batch = LoadBatch {
        target: &target,
        creation: &creation,
        existing: &existing,
        columns: &columns,
        filled: &[],
        keep_filled: false,
        keys: &keys,
        strategy: Strategy::Merge,
        duplicates: Duplicates::Last,
        glue_keys: GlueKeys::AsTheyStand,
        refuses_known: true,
        lock_target: false,
        statement_timeout: None,
        copy: Some(Copy {
            manifest: &manifest,
            iam_role: "arn:aws:iam::1:role/r",
            format: CopyFormat::Parquet,
        }),
        rows_staged: 3,
        files: None,
        ledger: LedgerRow {
            load_id: "l1",
            source: &source,
            etag: "\"e\"",
            version_id: None,
            size_bytes: 9,
            run_id: "r1",
            plugins: Some(r#"[{"name":"o'brien"}]"#),
            upsert_keys: Some(r#"["id"]"#),
        },
        audit: AuditRow {
            run_number: 7,
            job_id: "nightly",
            started_at: "2025-01-19T10:30:00Z".parse().expect("an instant"),
            file: AuditedFile::One { name: "o'brien.csv", rows_read: 3, rows_rejected: 0 },
            run_id: "run1",
        },
        audit_table: None,
    };
    change(&mut batch);
    build(&batch)
}

fn texts_of(change: impl FnOnce(&mut LoadBatch<'_>)) -> [String; 3] {
    let statements = built(change);
    [statements.in_one(), statements.filling(), statements.merging()].map(shown)
}

fn shown(statements: Vec<Statement>) -> String {
    let lines = statements.into_iter().map(|(role, sql)| format!("{role:?}: {sql}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn text_of(change: impl FnOnce(&mut LoadBatch<'_>)) -> String {
    let [in_one, _, _] = texts_of(change);
    in_one
}

#[test]
fn a_merge_into_a_new_table() {
    insta::assert_snapshot!(text_of(|_| {}), @r#"
    Lock: LOCK "public"."loader_fence_orders"
    Setting: SET timezone TO 'UTC'
    Setting: SET enable_result_cache_for_session TO off
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id = 'l1'
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "select" VARCHAR(256), "_loader_row" BIGINT)
    Copy: COPY loader_stage ("id", "select", "_loader_row") FROM 's3://b/data/staging/orders_o/run/manifest.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS PARQUET MANIFEST
    RowGuard: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_rows_staged FROM loader_stage
    CreateTable: CREATE TABLE orders
    Count: CREATE TEMP TABLE loader_counts AS SELECT loaded.n - known.n AS inserted, known.n AS updated, staged.n - loaded.n AS duplicates FROM (SELECT COUNT(*) AS n FROM loader_stage) AS staged CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r) AS loaded CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r WHERE EXISTS (SELECT 1 FROM "public"."orders" AS t WHERE t."id" = r."id")) AS known
    Delete: DELETE FROM "public"."orders" USING loader_stage WHERE "public"."orders"."id" = loader_stage."id"
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    CreateView: CREATE VIEW v_orders
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) VALUES ('l1', 'r1', GETDATE())
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) VALUES ('l1', 's3://b/data/in/o''brien.csv', '"e"', NULL, 9, 'public.orders', 'r1', 3, GETDATE(), '[{"name":"o''brien"}]', '["id"]')
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts
    Report: SELECT inserted, updated, duplicates FROM loader_counts
    "#);
}

#[test]
fn a_large_load_is_two_transactions_and_locks_only_in_the_second() {
    let [in_one, filling, merging] = texts_of(|batch| {
        batch.creation = &[];
        batch.lock_target = true;
        batch.statement_timeout = Some(std::time::Duration::from_secs(90));
    });
    insta::assert_snapshot!(filling, @r#"
    Setting: SET timezone TO 'UTC'
    Setting: SET enable_result_cache_for_session TO off
    Setting: SET statement_timeout TO 90000
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "select" VARCHAR(256), "_loader_row" BIGINT)
    Copy: COPY loader_stage ("id", "select", "_loader_row") FROM 's3://b/data/staging/orders_o/run/manifest.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS PARQUET MANIFEST
    RowGuard: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_rows_staged FROM loader_stage
    "#);
    insta::assert_snapshot!(merging, @r#"
    Lock: LOCK "public"."loader_fence_orders"
    Lock: LOCK "public"."orders"
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id = 'l1'
    HoldTarget: SELECT COUNT(*) AS held FROM "public"."orders" WHERE 1 = 0
    ColumnGuard: SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS same_columns FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'orders' AND a.attnum > 0 AND NOT a.attisdropped AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) IN ('id integer', 'select character varying(256)')
    Count: CREATE TEMP TABLE loader_counts AS SELECT loaded.n - known.n AS inserted, known.n AS updated, staged.n - loaded.n AS duplicates FROM (SELECT COUNT(*) AS n FROM loader_stage) AS staged CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r) AS loaded CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r WHERE EXISTS (SELECT 1 FROM "public"."orders" AS t WHERE t."id" = r."id")) AS known
    Delete: DELETE FROM "public"."orders" USING loader_stage WHERE "public"."orders"."id" = loader_stage."id"
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) VALUES ('l1', 'r1', GETDATE())
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) VALUES ('l1', 's3://b/data/in/o''brien.csv', '"e"', NULL, 9, 'public.orders', 'r1', 3, GETDATE(), '[{"name":"o''brien"}]', '["id"]')
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts
    Report: SELECT inserted, updated, duplicates FROM loader_counts
    "#);
    // One transaction has the same statements, with the locks first.
    let sorted = |texts: &[&str]| {
        let mut lines: Vec<String> =
            texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&[&in_one]), sorted(&[&filling, &merging]));
    assert!(in_one.starts_with("Lock: LOCK \"public\".\"loader_fence_orders\"\nLock: LOCK "));
}

#[test]
fn an_append_knows_no_keys() {
    insta::assert_snapshot!(text_of(|batch| {
        batch.keys = &[];
        batch.strategy = Strategy::Append;
        batch.creation = &[];
    }), @r#"
    Lock: LOCK "public"."loader_fence_orders"
    Setting: SET timezone TO 'UTC'
    Setting: SET enable_result_cache_for_session TO off
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id = 'l1'
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "select" VARCHAR(256), "_loader_row" BIGINT)
    Copy: COPY loader_stage ("id", "select", "_loader_row") FROM 's3://b/data/staging/orders_o/run/manifest.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS PARQUET MANIFEST
    RowGuard: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_rows_staged FROM loader_stage
    HoldTarget: SELECT COUNT(*) AS held FROM "public"."orders" WHERE 1 = 0
    ColumnGuard: SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS same_columns FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'orders' AND a.attnum > 0 AND NOT a.attisdropped AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) IN ('id integer', 'select character varying(256)')
    Count: CREATE TEMP TABLE loader_counts AS SELECT n AS inserted, 0 AS updated, 0 AS duplicates FROM (SELECT COUNT(*) AS n FROM loader_stage) AS staged
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM loader_stage
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) VALUES ('l1', 'r1', GETDATE())
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) VALUES ('l1', 's3://b/data/in/o''brien.csv', '"e"', NULL, 9, 'public.orders', 'r1', 3, GETDATE(), '[{"name":"o''brien"}]', '["id"]')
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts
    Report: SELECT inserted, updated, duplicates FROM loader_counts
    "#);
}

#[test]
fn first_wins_error_refuses_and_csv_has_its_own_null() {
    insta::assert_snapshot!(text_of(|batch| {
        batch.creation = &[];
        batch.refuses_known = false;
        batch.duplicates = Duplicates::First;
        if let Some(copy) = &mut batch.copy {
            copy.iam_role = "default";
            copy.format = CopyFormat::Csv { null: "@null@", region: Some("eu-west-1") };
        }
    }), @r#"
    Lock: LOCK "public"."loader_fence_orders"
    Setting: SET timezone TO 'UTC'
    Setting: SET enable_result_cache_for_session TO off
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "select" VARCHAR(256), "_loader_row" BIGINT)
    Copy: COPY loader_stage ("id", "select", "_loader_row") FROM 's3://b/data/staging/orders_o/run/manifest.json' IAM_ROLE default FORMAT AS CSV GZIP IGNOREHEADER 1 NULL AS '@null@' TIMEFORMAT 'auto' MANIFEST COMPUPDATE OFF STATUPDATE OFF REGION 'eu-west-1'
    RowGuard: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_rows_staged FROM loader_stage
    HoldTarget: SELECT COUNT(*) AS held FROM "public"."orders" WHERE 1 = 0
    ColumnGuard: SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS same_columns FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'orders' AND a.attnum > 0 AND NOT a.attisdropped AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) IN ('id integer', 'select character varying(256)')
    Count: CREATE TEMP TABLE loader_counts AS SELECT loaded.n - known.n AS inserted, known.n AS updated, staged.n - loaded.n AS duplicates FROM (SELECT COUNT(*) AS n FROM loader_stage) AS staged CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r) AS loaded CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r WHERE EXISTS (SELECT 1 FROM "public"."orders" AS t WHERE t."id" = r."id")) AS known
    Delete: DELETE FROM "public"."orders" USING loader_stage WHERE "public"."orders"."id" = loader_stage."id"
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" ASC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) VALUES ('l1', 'r1', GETDATE())
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) VALUES ('l1', 's3://b/data/in/o''brien.csv', '"e"', NULL, 9, 'public.orders', 'r1', 3, GETDATE(), '[{"name":"o''brien"}]', '["id"]')
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts
    Report: SELECT inserted, updated, duplicates FROM loader_counts
    "#);
    insta::assert_snapshot!(text_of(|batch| batch.duplicates = Duplicates::Error), @r#"
    Lock: LOCK "public"."loader_fence_orders"
    Setting: SET timezone TO 'UTC'
    Setting: SET enable_result_cache_for_session TO off
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id = 'l1'
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "select" VARCHAR(256), "_loader_row" BIGINT)
    Copy: COPY loader_stage ("id", "select", "_loader_row") FROM 's3://b/data/staging/orders_o/run/manifest.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS PARQUET MANIFEST
    RowGuard: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_rows_staged FROM loader_stage
    DuplicateGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS no_duplicate_keys FROM (SELECT 1 AS twice FROM loader_stage GROUP BY "id" HAVING COUNT(*) > 1) AS d
    CreateTable: CREATE TABLE orders
    Count: CREATE TEMP TABLE loader_counts AS SELECT loaded.n - known.n AS inserted, known.n AS updated, staged.n - loaded.n AS duplicates FROM (SELECT COUNT(*) AS n FROM loader_stage) AS staged CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r) AS loaded CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r WHERE EXISTS (SELECT 1 FROM "public"."orders" AS t WHERE t."id" = r."id")) AS known
    Delete: DELETE FROM "public"."orders" USING loader_stage WHERE "public"."orders"."id" = loader_stage."id"
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    CreateView: CREATE VIEW v_orders
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) VALUES ('l1', 'r1', GETDATE())
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) VALUES ('l1', 's3://b/data/in/o''brien.csv', '"e"', NULL, 9, 'public.orders', 'r1', 3, GETDATE(), '[{"name":"o''brien"}]', '["id"]')
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts
    Report: SELECT inserted, updated, duplicates FROM loader_counts
    "#);
}

#[test]
fn replacing_empties_the_table_and_an_empty_file_copies_nothing() {
    insta::assert_snapshot!(text_of(|batch| {
        batch.strategy = Strategy::Replace;
        batch.copy = None;
        batch.rows_staged = 0;
    }), @r#"
    Lock: LOCK "public"."loader_fence_orders"
    Setting: SET timezone TO 'UTC'
    Setting: SET enable_result_cache_for_session TO off
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id = 'l1'
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "select" VARCHAR(256), "_loader_row" BIGINT)
    RowGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS all_rows_staged FROM loader_stage
    CreateTable: CREATE TABLE orders
    Count: CREATE TEMP TABLE loader_counts AS SELECT loaded.n - known.n AS inserted, known.n AS updated, staged.n - loaded.n AS duplicates FROM (SELECT COUNT(*) AS n FROM loader_stage) AS staged CROSS JOIN (SELECT COUNT(*) AS n FROM (SELECT DISTINCT "id" FROM loader_stage) AS r) AS loaded CROSS JOIN (SELECT 0 AS n) AS known
    Delete: DELETE FROM "public"."orders"
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    CreateView: CREATE VIEW v_orders
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) VALUES ('l1', 'r1', GETDATE())
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) VALUES ('l1', 's3://b/data/in/o''brien.csv', '"e"', NULL, 9, 'public.orders', 'r1', 0, GETDATE(), '[{"name":"o''brien"}]', '["id"]')
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts
    Report: SELECT inserted, updated, duplicates FROM loader_counts
    "#);
}

#[test]
fn a_failed_run_leaves_its_own_row() {
    let target = TableName::new("public", "orders").expect("a valid name");
    let audit = AuditRow {
        run_number: 7,
        job_id: "nightly",
        started_at: "2025-01-19T10:30:00Z".parse().expect("an instant"),
        file: AuditedFile::One { name: "x.csv", rows_read: 3, rows_rejected: 0 },
        run_id: "run1",
    };
    let own = AuditTable::own();
    let failed = audit_failure(&own, &target, &audit, "line 3: it's ragged").expect("a row");
    insta::assert_snapshot!(failed, @r#"INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) VALUES (7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'x.csv', 'orders', 3, 0, 0, 'FAILED', 'line 3: it''s ragged')"#);
}

#[test]
fn missing_columns_are_filled_and_text_becomes_what_parquet_cannot_carry() {
    let column = |name: &str, column_type: ColumnType| TargetColumn {
        name: name.into(),
        staged_as_text: column_type.is_staged_as_text(),
        column_type,
        not_null: false,
    };
    let columns: &'static [TargetColumn] = Vec::leak(vec![
        column("id", ColumnType::Integer),
        column("at", ColumnType::TimestampTz),
        column("doc", ColumnType::Super),
        column("raw", ColumnType::Varbyte { bytes: None }),
    ]);
    let filled: &'static [FilledColumn] = Vec::leak(vec![
        FilledColumn { name: "note".into(), fill: Fill::Literal("''") },
        FilledColumn { name: "number".into(), fill: Fill::Default },
        FilledColumn { name: "day".into(), fill: Fill::Literal("NULL") },
    ]);
    let parts = |keep_filled, strategy| {
        let all = text_of(|batch| {
            (batch.creation, batch.columns, batch.filled) = (&[], columns, filled);
            (batch.keep_filled, batch.strategy) = (keep_filled, strategy);
        });
        let shown = ["CreateStage", "Delete", "Update", "Insert"];
        all.lines()
            .filter(|line| shown.iter().any(|part| line.starts_with(part)))
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(parts(false, Strategy::Merge), @r#"
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "at" VARCHAR(65535), "doc" VARCHAR(65535), "raw" VARCHAR(65535), "_loader_row" BIGINT)
    Delete: DELETE FROM "public"."orders" USING loader_stage WHERE "public"."orders"."id" = loader_stage."id"
    Insert: INSERT INTO "public"."orders" ("id", "at", "doc", "raw", "note", "day") SELECT "id", CAST("at" AS TIMESTAMPTZ), JSON_PARSE("doc"), FROM_HEX("raw"), '', NULL FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    "#);
    insta::assert_snapshot!(parts(true, Strategy::Merge), @r#"
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "at" VARCHAR(65535), "doc" VARCHAR(65535), "raw" VARCHAR(65535), "_loader_row" BIGINT)
    Update: UPDATE "public"."orders" SET "at" = CAST(ranked."at" AS TIMESTAMPTZ), "doc" = JSON_PARSE(ranked."doc"), "raw" = FROM_HEX(ranked."raw") FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1 AND "public"."orders"."id" = ranked."id"
    Insert: INSERT INTO "public"."orders" ("id", "at", "doc", "raw", "note", "day") SELECT "id", CAST("at" AS TIMESTAMPTZ), JSON_PARSE("doc"), FROM_HEX("raw"), '', NULL FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1 AND NOT EXISTS (SELECT 1 FROM "public"."orders" AS t WHERE t."id" = ranked."id")
    "#);
    insta::assert_snapshot!(parts(true, Strategy::Replace), @r#"
    CreateStage: CREATE TEMP TABLE loader_stage ("id" INTEGER, "at" VARCHAR(65535), "doc" VARCHAR(65535), "raw" VARCHAR(65535), "_loader_row" BIGINT)
    Delete: DELETE FROM "public"."orders"
    Insert: INSERT INTO "public"."orders" ("id", "at", "doc", "raw", "note", "day") SELECT "id", CAST("at" AS TIMESTAMPTZ), JSON_PARSE("doc"), FROM_HEX("raw"), '', NULL FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    "#);
}

#[test]
fn rows_with_new_keys_are_refused_where_nothing_fills_a_column() {
    let filled: &'static [FilledColumn] =
        Vec::leak(vec![FilledColumn { name: "day".into(), fill: Fill::Nothing }]);
    let all = text_of(|batch| {
        (batch.creation, batch.filled, batch.keep_filled) = (&[], filled, true);
    });
    let changes = ["NewKeyGuard", "Delete", "Update", "Insert"];
    let changing = all.lines().filter(|line| changes.iter().any(|part| line.starts_with(part)));
    insta::assert_snapshot!(changing.collect::<Vec<_>>().join("\n"), @r#"
    NewKeyGuard: SELECT 1 / (CASE WHEN SUM(inserted) = 0 THEN 1 ELSE 0 END) AS no_new_keys FROM loader_counts
    Update: UPDATE "public"."orders" SET "select" = ranked."select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1 AND "public"."orders"."id" = ranked."id"
    "#);
}

#[test]
fn refused_keys_are_found_without_the_guard_that_has_refused_them() {
    let statements = built(|batch| batch.duplicates = Duplicates::Error);
    let told = |guard| {
        let mut told = statements.telling(guard).expect("it refuses keys");
        let examples = told.pop().expect("a statement");
        assert!(told.iter().any(|sql| sql.starts_with("COPY")), "{told:?}");
        assert!(!told.iter().any(|sql| sql.contains("no_duplicate_keys")), "{told:?}");
        examples
    };
    insta::assert_snapshot!(told(StatementRole::DuplicateGuard), @r#"SELECT r."id" AS key_1 FROM loader_stage AS r GROUP BY "id" HAVING COUNT(*) > 1 ORDER BY key_1 LIMIT 4"#);
    insta::assert_snapshot!(told(StatementRole::NewKeyGuard), @r#"SELECT r."id" AS key_1 FROM (SELECT DISTINCT "id" FROM loader_stage) AS r WHERE NOT EXISTS (SELECT 1 FROM "public"."orders" AS t WHERE t."id" = r."id") ORDER BY key_1 LIMIT 4"#);
    assert_eq!(statements.telling(StatementRole::RowGuard), None);
    let matched = built(|batch| batch.glue_keys = GlueKeys::Matched);
    assert_eq!(matched.telling(StatementRole::NewKeyGuard), None);
}

#[test]
fn a_column_that_stays_as_it_is_is_expected_as_the_catalog_spelt_it() {
    let text = text_of(|batch| {
        let columns = ["id", "select"].map(|name| TargetColumn {
            name: name.into(),
            column_type: ColumnType::Integer,
            not_null: false,
            staged_as_text: false,
        });
        let mut existing = [batch.existing[0].clone(), batch.existing[0].clone()];
        existing[0].name = "select".into();
        existing[1].type_text = "int4".into();
        (batch.creation, batch.columns) = (&[], Vec::leak(columns.to_vec()));
        batch.existing = Vec::leak(existing.to_vec());
    });
    assert!(text.contains(" IN ('id int4', 'select integer')"), "{text}");
}
