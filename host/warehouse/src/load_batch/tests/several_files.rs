//! The statements of a load of several files.

use super::*;

/// What is otherwise where several files are loaded.
fn of_several(change: impl FnOnce(&mut LoadBatch<'_>)) -> String {
    let manifest = S3Uri::new("b", "data/staging/orders_o/run/files.json");
    let files = Files {
        // It must outlive the batch, which another function makes.
        manifest: Box::leak(Box::new(manifest)),
        count: 3,
        null: "null_r1",
        region: None,
        iam_role: "arn:aws:iam::1:role/r",
    };
    let mut one = String::new();
    let several = text_of(|batch| {
        change(batch);
        one = shown(build(batch).in_one());
        batch.files = Some(files);
    });
    let lines = several.lines().filter(|line| !one.lines().any(|other| other == *line));
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn several_files_are_listed_and_counted_one_by_one() {
    insta::assert_snapshot!(of_several(|_| {}), @r##"
    ListFiles: CREATE TEMP TABLE loader_files (file INTEGER, load_id VARCHAR(64), source_uri VARCHAR(2048), etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, file_name VARCHAR(1024), rows_read BIGINT, rows_rejected BIGINT, rows_staged BIGINT)
    ListFiles: COPY loader_files (file, load_id, source_uri, etag, version_id, size_bytes, file_name, rows_read, rows_rejected, rows_staged) FROM 's3://b/data/staging/orders_o/run/files.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV NULL AS 'null_r1' MANIFEST COMPUPDATE OFF STATUPDATE OFF
    ListFiles: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_files_listed FROM loader_files
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id IN (SELECT load_id FROM loader_files)
    Count: CREATE TEMP TABLE loader_counts AS SELECT f.file, COALESCE(SUM(CASE WHEN c.is_known = 0 THEN c.v END), 0) AS inserted, COALESCE(SUM(CASE WHEN c.is_known = 1 THEN c.v END), 0) AS updated, COALESCE(SUM(c.n - c.v), 0) AS duplicates FROM loader_files AS f LEFT JOIN (SELECT g.file, g.n, 1 AS v, CASE WHEN k."id" IS NOT NULL OR g.first_file < g.file THEN 1 ELSE 0 END AS is_known FROM (SELECT "id", file, COUNT(*) AS n, MIN(file) OVER (PARTITION BY "id") AS first_file FROM (SELECT "id", "_loader_row" / 1099511627776 AS file FROM loader_stage) AS s GROUP BY "id", file) AS g LEFT JOIN (SELECT DISTINCT t."id" FROM "public"."orders" AS t JOIN (SELECT DISTINCT "id" FROM loader_stage) AS r ON t."id" = r."id") AS k ON k."id" = g."id") AS c ON c.file = f.file GROUP BY f.file
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, 'r1', GETDATE() FROM loader_files
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) SELECT load_id, source_uri, etag, version_id, size_bytes, 'public.orders', 'r1', rows_staged, GETDATE(), '[{"name":"o''brien"}]', '["id"]' FROM loader_files
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts AS c JOIN loader_files AS f ON f.file = c.file
    Report: SELECT inserted, updated, duplicates FROM loader_counts ORDER BY file
    "##);
    insta::assert_snapshot!(of_several(|batch| batch.duplicates = Duplicates::First), @r##"
    ListFiles: CREATE TEMP TABLE loader_files (file INTEGER, load_id VARCHAR(64), source_uri VARCHAR(2048), etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, file_name VARCHAR(1024), rows_read BIGINT, rows_rejected BIGINT, rows_staged BIGINT)
    ListFiles: COPY loader_files (file, load_id, source_uri, etag, version_id, size_bytes, file_name, rows_read, rows_rejected, rows_staged) FROM 's3://b/data/staging/orders_o/run/files.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV NULL AS 'null_r1' MANIFEST COMPUPDATE OFF STATUPDATE OFF
    ListFiles: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_files_listed FROM loader_files
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id IN (SELECT load_id FROM loader_files)
    Count: CREATE TEMP TABLE loader_counts AS SELECT f.file, COALESCE(SUM(CASE WHEN c.is_known = 0 THEN c.v END), 0) AS inserted, COALESCE(SUM(CASE WHEN c.is_known = 1 THEN c.v END), 0) AS updated, COALESCE(SUM(c.n - c.v), 0) AS duplicates FROM loader_files AS f LEFT JOIN (SELECT g.file, g.n, 1 AS v, CASE WHEN k."id" IS NOT NULL OR g.first_file < g.file THEN 1 ELSE 0 END AS is_known FROM (SELECT "id", file, COUNT(*) AS n, MIN(file) OVER (PARTITION BY "id") AS first_file FROM (SELECT "id", "_loader_row" / 1099511627776 AS file FROM loader_stage) AS s GROUP BY "id", file) AS g LEFT JOIN (SELECT DISTINCT t."id" FROM "public"."orders" AS t JOIN (SELECT DISTINCT "id" FROM loader_stage) AS r ON t."id" = r."id") AS k ON k."id" = g."id") AS c ON c.file = f.file GROUP BY f.file
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" / 1099511627776 DESC, "_loader_row" ASC) AS "_loader_rank" FROM loader_stage) AS ranked WHERE "_loader_rank" = 1
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, 'r1', GETDATE() FROM loader_files
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) SELECT load_id, source_uri, etag, version_id, size_bytes, 'public.orders', 'r1', rows_staged, GETDATE(), '[{"name":"o''brien"}]', '["id"]' FROM loader_files
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts AS c JOIN loader_files AS f ON f.file = c.file
    Report: SELECT inserted, updated, duplicates FROM loader_counts ORDER BY file
    "##);
    insta::assert_snapshot!(of_several(|batch| batch.duplicates = Duplicates::Keep), @r##"
    ListFiles: CREATE TEMP TABLE loader_files (file INTEGER, load_id VARCHAR(64), source_uri VARCHAR(2048), etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, file_name VARCHAR(1024), rows_read BIGINT, rows_rejected BIGINT, rows_staged BIGINT)
    ListFiles: COPY loader_files (file, load_id, source_uri, etag, version_id, size_bytes, file_name, rows_read, rows_rejected, rows_staged) FROM 's3://b/data/staging/orders_o/run/files.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV NULL AS 'null_r1' MANIFEST COMPUPDATE OFF STATUPDATE OFF
    ListFiles: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_files_listed FROM loader_files
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id IN (SELECT load_id FROM loader_files)
    Count: CREATE TEMP TABLE loader_counts AS SELECT f.file, COALESCE(SUM(CASE WHEN c.is_known = 0 THEN c.v END), 0) AS inserted, COALESCE(SUM(CASE WHEN c.is_known = 1 THEN c.v END), 0) AS updated, COALESCE(SUM(c.n - c.v), 0) AS duplicates FROM loader_files AS f LEFT JOIN (SELECT g.file, g.n, g.n AS v, CASE WHEN k."id" IS NOT NULL OR g.first_file < g.file THEN 1 ELSE 0 END AS is_known FROM (SELECT "id", file, COUNT(*) AS n, MIN(file) OVER (PARTITION BY "id") AS first_file FROM (SELECT "id", "_loader_row" / 1099511627776 AS file FROM loader_stage) AS s GROUP BY "id", file) AS g LEFT JOIN (SELECT DISTINCT t."id" FROM "public"."orders" AS t JOIN (SELECT DISTINCT "id" FROM loader_stage) AS r ON t."id" = r."id") AS k ON k."id" = g."id") AS c ON c.file = f.file GROUP BY f.file
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT * FROM (SELECT *, "_loader_row" / 1099511627776 AS "_loader_file", MAX("_loader_row" / 1099511627776) OVER (PARTITION BY "id") AS "_loader_last" FROM loader_stage) AS s WHERE "_loader_file" = "_loader_last") AS last_of_key
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, 'r1', GETDATE() FROM loader_files
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) SELECT load_id, source_uri, etag, version_id, size_bytes, 'public.orders', 'r1', rows_staged, GETDATE(), '[{"name":"o''brien"}]', '["id"]' FROM loader_files
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts AS c JOIN loader_files AS f ON f.file = c.file
    Report: SELECT inserted, updated, duplicates FROM loader_counts ORDER BY file
    "##);
    insta::assert_snapshot!(of_several(|batch| batch.duplicates = Duplicates::Error), @r##"
    ListFiles: CREATE TEMP TABLE loader_files (file INTEGER, load_id VARCHAR(64), source_uri VARCHAR(2048), etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, file_name VARCHAR(1024), rows_read BIGINT, rows_rejected BIGINT, rows_staged BIGINT)
    ListFiles: COPY loader_files (file, load_id, source_uri, etag, version_id, size_bytes, file_name, rows_read, rows_rejected, rows_staged) FROM 's3://b/data/staging/orders_o/run/files.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV NULL AS 'null_r1' MANIFEST COMPUPDATE OFF STATUPDATE OFF
    ListFiles: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_files_listed FROM loader_files
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id IN (SELECT load_id FROM loader_files)
    DuplicateGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS no_duplicate_keys FROM (SELECT 1 AS twice FROM loader_stage GROUP BY "id", "_loader_row" / 1099511627776 HAVING COUNT(*) > 1) AS d
    Count: CREATE TEMP TABLE loader_counts AS SELECT f.file, COALESCE(SUM(CASE WHEN c.is_known = 0 THEN c.v END), 0) AS inserted, COALESCE(SUM(CASE WHEN c.is_known = 1 THEN c.v END), 0) AS updated, COALESCE(SUM(c.n - c.v), 0) AS duplicates FROM loader_files AS f LEFT JOIN (SELECT g.file, g.n, 1 AS v, CASE WHEN k."id" IS NOT NULL OR g.first_file < g.file THEN 1 ELSE 0 END AS is_known FROM (SELECT "id", file, COUNT(*) AS n, MIN(file) OVER (PARTITION BY "id") AS first_file FROM (SELECT "id", "_loader_row" / 1099511627776 AS file FROM loader_stage) AS s GROUP BY "id", file) AS g LEFT JOIN (SELECT DISTINCT t."id" FROM "public"."orders" AS t JOIN (SELECT DISTINCT "id" FROM loader_stage) AS r ON t."id" = r."id") AS k ON k."id" = g."id") AS c ON c.file = f.file GROUP BY f.file
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, 'r1', GETDATE() FROM loader_files
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) SELECT load_id, source_uri, etag, version_id, size_bytes, 'public.orders', 'r1', rows_staged, GETDATE(), '[{"name":"o''brien"}]', '["id"]' FROM loader_files
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts AS c JOIN loader_files AS f ON f.file = c.file
    Report: SELECT inserted, updated, duplicates FROM loader_counts ORDER BY file
    "##);
    insta::assert_snapshot!(of_several(|batch| batch.strategy = Strategy::Replace), @r##"
    ListFiles: CREATE TEMP TABLE loader_files (file INTEGER, load_id VARCHAR(64), source_uri VARCHAR(2048), etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, file_name VARCHAR(1024), rows_read BIGINT, rows_rejected BIGINT, rows_staged BIGINT)
    ListFiles: COPY loader_files (file, load_id, source_uri, etag, version_id, size_bytes, file_name, rows_read, rows_rejected, rows_staged) FROM 's3://b/data/staging/orders_o/run/files.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV NULL AS 'null_r1' MANIFEST COMPUPDATE OFF STATUPDATE OFF
    ListFiles: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_files_listed FROM loader_files
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id IN (SELECT load_id FROM loader_files)
    Count: CREATE TEMP TABLE loader_counts AS SELECT f.file, COALESCE(SUM(CASE WHEN c.is_known = 0 THEN c.v END), 0) AS inserted, COALESCE(SUM(CASE WHEN c.is_known = 1 THEN c.v END), 0) AS updated, COALESCE(SUM(c.n - c.v), 0) AS duplicates FROM loader_files AS f LEFT JOIN (SELECT g.file, g.n, 1 AS v, 0 AS is_known FROM (SELECT "id", file, COUNT(*) AS n, MIN(file) OVER (PARTITION BY "id") AS first_file FROM (SELECT "id", "_loader_row" / 1099511627776 AS file FROM loader_stage) AS s GROUP BY "id", file) AS g) AS c ON c.file = f.file GROUP BY f.file
    Insert: INSERT INTO "public"."orders" ("id", "select") SELECT "id", "select" FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY "id" ORDER BY "_loader_row" DESC) AS "_loader_rank" FROM (SELECT * FROM loader_stage WHERE "_loader_row" >= 2199023255552) AS last_file) AS ranked WHERE "_loader_rank" = 1
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, 'r1', GETDATE() FROM loader_files
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) SELECT load_id, source_uri, etag, version_id, size_bytes, 'public.orders', 'r1', rows_staged, GETDATE(), '[{"name":"o''brien"}]', '["id"]' FROM loader_files
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts AS c JOIN loader_files AS f ON f.file = c.file
    Report: SELECT inserted, updated, duplicates FROM loader_counts ORDER BY file
    "##);
    insta::assert_snapshot!(of_several(|batch| batch.keys = &[]), @r##"
    ListFiles: CREATE TEMP TABLE loader_files (file INTEGER, load_id VARCHAR(64), source_uri VARCHAR(2048), etag VARCHAR(256), version_id VARCHAR(1024), size_bytes BIGINT, file_name VARCHAR(1024), rows_read BIGINT, rows_rejected BIGINT, rows_staged BIGINT)
    ListFiles: COPY loader_files (file, load_id, source_uri, etag, version_id, size_bytes, file_name, rows_read, rows_rejected, rows_staged) FROM 's3://b/data/staging/orders_o/run/files.json' IAM_ROLE 'arn:aws:iam::1:role/r' FORMAT AS CSV NULL AS 'null_r1' MANIFEST COMPUPDATE OFF STATUPDATE OFF
    ListFiles: SELECT 1 / (CASE WHEN COUNT(*) = 3 THEN 1 ELSE 0 END) AS all_files_listed FROM loader_files
    FenceGuard: SELECT 1 / (CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END) AS not_loaded_before FROM "public"."loader_fence_orders" WHERE load_id IN (SELECT load_id FROM loader_files)
    Count: CREATE TEMP TABLE loader_counts AS SELECT f.file, COUNT(s.file) AS inserted, 0 AS updated, 0 AS duplicates FROM loader_files AS f LEFT JOIN (SELECT "_loader_row" / 1099511627776 AS file FROM loader_stage) AS s ON s.file = f.file GROUP BY f.file
    Fence: INSERT INTO "public"."loader_fence_orders" (load_id, run_id, loaded_at) SELECT load_id, 'r1', GETDATE() FROM loader_files
    Ledger: INSERT INTO "public"."loader_loads" (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, rows, loaded_at, plugins, upsert_keys) SELECT load_id, source_uri, etag, version_id, size_bytes, 'public.orders', 'r1', rows_staged, GETDATE(), '[{"name":"o''brien"}]', '["id"]' FROM loader_files
    Audit: INSERT INTO "public"."job_sts" (run_id, job_id, run_start_ts, run_end_ts, source_filename, target_table_name, records_read, records_updated, records_inserted, status, error_message) SELECT 7, 'nightly', CAST('2025-01-19 10:30:00' AS TIMESTAMP), GETDATE(), 'o''brien.csv', 'orders', 3, CAST(CASE WHEN updated > 2147483647 THEN 2147483647 ELSE updated END AS INTEGER), CAST(CASE WHEN inserted > 2147483647 THEN 2147483647 ELSE inserted END AS INTEGER), 'SUCCESS', CAST(NULL AS VARCHAR(256)) FROM loader_counts AS c JOIN loader_files AS f ON f.file = c.file
    Report: SELECT inserted, updated, duplicates FROM loader_counts ORDER BY file
    "##);
}
