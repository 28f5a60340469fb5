//! Views as Redshift has them: materialized and bound ones, what each of them blocks, and what the
//! catalog says of them. Late-binding ones are in `late_binding`.

use aws_sdk_redshiftdata::types::ExecutionMode;

use crate::late_binding;
use crate::support::Warehouse;

#[tokio::test]
async fn redshift_views() {
    let warehouse = Warehouse::start().await;
    warehouse.must("CREATE SCHEMA s").await;
    late_binding::follow_their_tables(&warehouse).await;
    late_binding::in_statements(&warehouse).await;
    late_binding::in_the_catalog(&warehouse).await;
    materialized(&warehouse).await;
    definitions_can_be_sent_again(&warehouse).await;
    replacing(&warehouse).await;
    blocked_changes(&warehouse).await;
    unblocked_changes(&warehouse).await;
    names_owners_and_comments(&warehouse).await;
    warehouse.stop().await;
}

/// `expected` is a part of `text`.
pub(crate) fn has(text: &str, expected: &str) {
    assert!(text.contains(expected), "{expected:?} is not in {text:?}");
}

async fn materialized(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE s.base (id int, name varchar(10), other varchar(10))").await;
    warehouse.must("INSERT INTO s.base VALUES (1, 'one', 'x')").await;
    let create = "CREATE MATERIALIZED VIEW s.Kept BACKUP NO DISTSTYLE KEY DISTKEY(id) SORTKEY(id) \
                  AUTO REFRESH NO AS SELECT id, name FROM s.base";
    warehouse.must(create).await;
    warehouse.must("INSERT INTO s.base VALUES (2, 'two', 'y')").await;
    assert_eq!(warehouse.must("SELECT * FROM s.kept").await, ["1|one"]);
    warehouse.must("REFRESH MATERIALIZED VIEW \"S\".\"Kept\"").await;
    assert_eq!(warehouse.must("SELECT * FROM s.kept ORDER BY 1").await, ["1|one", "2|two"]);
    let definition = format!("{create};");
    assert_eq!(
        warehouse.must("SELECT pg_get_viewdef('s.kept'::regclass, true)").await,
        [definition.as_str()]
    );
    assert_eq!(
        warehouse.must("SELECT definition FROM pg_views WHERE viewname = 'kept'").await,
        [definition.as_str()]
    );
    assert_eq!(
        warehouse.must("SELECT table_type FROM svv_tables WHERE table_name = 'kept'").await,
        ["VIEW"]
    );

    has(&warehouse.error("DROP VIEW s.kept").await, "\"kept\" is not a view");
    has(
        &warehouse.error("ALTER TABLE s.kept RENAME TO other").await,
        "materialized view kept cannot be renamed",
    );
    has(
        &warehouse.error("ALTER TABLE s.base ALTER COLUMN name TYPE varchar(20)").await,
        "cannot alter type of a column used by a view or rule\n  Detail: rule _RETURN on \
         materialized view s.kept depends on column \"name\"",
    );
    has(
        &warehouse.error("ALTER TABLE s.base DROP COLUMN name").await,
        "cannot drop table s.base column name because other objects depend on it",
    );
    warehouse.must("ALTER TABLE s.base DROP COLUMN other").await;
    warehouse.must("ALTER TABLE s.base ADD COLUMN added int").await;
    warehouse.must("CREATE VIEW s.base_v AS SELECT id FROM s.base").await;
    has(
        &warehouse.error("CREATE MATERIALIZED VIEW s.no AS SELECT id FROM s.base_v").await,
        "it reads s.base_v, which is a view",
    );
    warehouse.must("CREATE MATERIALIZED VIEW s.upper AS SELECT count(*) AS n FROM s.kept").await;
    warehouse.must("COMMENT ON VIEW s.upper IS 'counts'").await;
    assert_eq!(
        warehouse.must("SELECT obj_description('s.upper'::regclass, 'pg_class')").await,
        ["counts"]
    );
    has(
        &warehouse.error("DROP MATERIALIZED VIEW s.kept").await,
        "cannot drop materialized view s.kept because other objects depend on it",
    );
    warehouse.must("DROP MATERIALIZED VIEW s.kept CASCADE").await;
    warehouse.must("DROP MATERIALIZED VIEW IF EXISTS s.upper").await;
    warehouse.must("DROP VIEW s.base_v").await;
    warehouse.must("ALTER TABLE s.base ALTER COLUMN name TYPE varchar(20)").await;
}

/// The definition in the catalog makes the same view again: the program drops and restores views by
/// it.
async fn definitions_can_be_sent_again(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE s.wide (i int, big bigint, d decimal(20,4), f double precision, v \
               varchar(30), c char(3), day date, ts timestamp, tz timestamptz, b boolean, p super)",
        )
        .await;
    warehouse
        .must(
            "INSERT INTO s.wide VALUES (1, 5, 1.5, 2.5, '  ab\\\\c ', 'xy', '2024-02-29', \
                    '2024-02-29 10:00:00', NULL, true, NULL)",
        )
        .await;
    for query in [
        "SELECT * FROM s.wide",
        "SELECT v, i FROM s.wide WHERE v IN ('a', '  ab\\\\c ') AND i NOT IN (2, 3) AND c IN \
         ('xy')",
        "SELECT trim(v) AS a, trim(LEADING ' ' FROM v) AS b, rtrim(v) AS c, upper(v) || lower(c) \
         AS d, len(v) AS e FROM s.wide",
        "SELECT substring(v, 1, 2) AS a, left(v, 1) AS b, replace(v, 'a', 'it''s') AS c, \
         position('a' IN v) AS d FROM s.wide",
        "SELECT i FROM s.wide WHERE v LIKE '%a_%' AND v NOT LIKE 'z%' AND v ILIKE '%AB%' AND i \
         BETWEEN 1 AND 2",
        "SELECT CASE i WHEN 1 THEN 'one' ELSE v END AS a, coalesce(v, 'none') AS b, nvl(d, 0) AS \
         c, nullif(i, 2) AS d FROM s.wide",
        "SELECT i::bigint AS a, d::decimal(38,18) AS b, v::varchar(5) AS c, i::decimal AS d, \
         ts::date AS e, f::numeric(10,2) AS g, '1'::int AS h FROM s.wide",
        "SELECT extract(year FROM ts) AS a, date_trunc('month', ts) AS b, dateadd(day, 1, ts) AS \
         c, datediff(hour, day, ts) AS d, ts + interval '1 day' AS e FROM s.wide",
        "SELECT current_date > day AS a, getdate() > ts AS b, sysdate > ts AS c, \
         convert_timezone('UTC', 'Europe/Berlin', ts) AS d FROM s.wide",
        "SELECT row_number() OVER (PARTITION BY v ORDER BY i DESC NULLS LAST) AS n, sum(d) OVER \
         (ORDER BY i ROWS UNBOUNDED PRECEDING) AS s FROM s.wide",
        "SELECT v, count(*) AS n, count(DISTINCT i) AS m, avg(f) AS f FROM s.wide GROUP BY v \
         HAVING count(*) > 0 ORDER BY v LIMIT 5",
        "WITH x AS (SELECT i, max(d) AS d FROM s.wide GROUP BY 1) SELECT x.d, w.v FROM x LEFT JOIN \
         s.wide w ON w.i = x.i AND NOT w.b IS FALSE",
        "SELECT a.i FROM s.wide a JOIN s.wide b USING (i) CROSS JOIN (SELECT 1 AS z) q WHERE \
         EXISTS (SELECT 1 FROM s.wide c WHERE c.i = a.i)",
        "SELECT i, v FROM s.wide UNION ALL (SELECT 2, 'x' UNION SELECT 3, 'y') EXCEPT SELECT 9, \
         'z'",
        "SELECT i FROM s.wide WHERE i IN (SELECT i FROM s.wide) AND i = ANY (SELECT i FROM s.wide) \
         AND (b OR i IS NULL)",
        "SELECT json_serialize(p) AS a, p::super AS b, cast(NULL AS varchar(7)) AS c, true AS d, \
         1.50 AS e, 1e3::float AS g FROM s.wide",
        "SELECT \"I\" AS \"Select\", v AS \"a b\", d % 2 AS \"ünï\" FROM s.wide WHERE d > -1 AND f \
         <> 3",
    ] {
        warehouse.must(&format!("CREATE VIEW s.again AS {query}")).await;
        let shape = "SELECT ordinal_position, column_name, data_type, character_maximum_length, \
                     numeric_precision, numeric_scale FROM svv_columns WHERE table_name = 'again' \
                     ORDER BY 1";
        let definition = "SELECT pg_get_viewdef('s.again'::regclass, true)";
        let (columns, text) =
            (warehouse.must(shape).await, warehouse.must(definition).await.join("\n"));
        let rows = warehouse.must("SELECT * FROM s.again").await;
        warehouse.must("DROP VIEW s.again").await;
        warehouse.must(&format!("CREATE VIEW s.again AS {text}")).await;
        assert_eq!(warehouse.must(shape).await, columns, "{query}");
        // An implicit NUMERIC becomes an explicit one, which is NUMERIC(18,0) in Redshift.
        let plain = |text: &str| text.replace("numeric(18,0)", "numeric");
        assert_eq!(plain(&warehouse.must(definition).await.join("\n")), plain(&text), "{query}");
        assert_eq!(warehouse.must("SELECT * FROM s.again").await, rows, "{query}");
        warehouse.must("DROP VIEW s.again").await;
    }
}

async fn replacing(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE s.old (a int, b varchar(10))").await;
    warehouse.must("CREATE VIEW s.shown AS SELECT a, b FROM s.old").await;
    warehouse.must("GRANT SELECT ON s.shown TO PUBLIC").await;
    let kept = "SELECT pg_get_userbyid(relowner), array_to_string(relacl, ',') LIKE '%=r/%' FROM \
                pg_class WHERE relname = 'shown'";
    let before = warehouse.must(kept).await;
    has(&before[0], "|true");
    for (query, expected) in [
        ("SELECT a, b, 1 AS c FROM s.old", "cannot change number of columns in view"),
        ("SELECT a FROM s.old", "cannot change number of columns in view"),
        ("SELECT b, a FROM s.old", "cannot change name of view column \"a\""),
        ("SELECT a::bigint, b FROM s.old", "cannot change data type of view column \"a\""),
        ("SELECT a, b::varchar(20) FROM s.old", "cannot change data type of view column \"b\""),
    ] {
        let error = warehouse.error(&format!("CREATE OR REPLACE VIEW s.shown AS {query}")).await;
        assert!(error.starts_with(&format!("ERROR: {expected}")), "{query}: {error}");
    }
    warehouse.must("CREATE OR REPLACE VIEW s.shown AS SELECT a + 1 AS a, b FROM s.old").await;
    assert_eq!(warehouse.must(kept).await, before);
    has(
        &warehouse.error("CREATE VIEW s.shown AS SELECT 1").await,
        "relation \"shown\" already exists",
    );
    has(
        &warehouse.error("CREATE OR REPLACE VIEW s.old AS SELECT 1").await,
        "\"old\" is not a view",
    );
}

async fn blocked_changes(warehouse: &Warehouse) {
    let hint = "\n  Hint: Use DROP ... CASCADE to drop the dependent objects too.";
    warehouse.must("CREATE TABLE s.used (a int, b varchar(10), c varchar(10))").await;
    warehouse.must("CREATE VIEW s.reads_b AS SELECT b FROM s.used").await;
    warehouse.must("CREATE VIEW s.reads_v AS SELECT b FROM s.reads_b").await;
    assert_eq!(
        warehouse.error("ALTER TABLE s.used DROP COLUMN b").await,
        format!(
            "ERROR: cannot drop table s.used column b because other objects depend on \
             it\n  Detail: view s.reads_b depends on table s.used column b\nview s.reads_v depends \
             on view s.reads_b{hint}"
        )
    );
    let error = warehouse.error("DROP TABLE s.used").await;
    has(&error, "ERROR: cannot drop table s.used because other objects depend on it");
    has(&error, hint);
    has(
        &warehouse.error("DROP VIEW s.reads_b").await,
        "ERROR: cannot drop view s.reads_b because other objects depend on it",
    );
    let used = "ERROR: cannot alter type of a column used by a view or rule\n  Detail: rule \
                _RETURN on view s.reads_b depends on";
    assert_eq!(
        warehouse.error("ALTER TABLE s.used ALTER COLUMN b TYPE varchar(20)").await,
        format!("{used} column \"b\"")
    );
    assert_eq!(
        warehouse.error("ALTER TABLE s.used ALTER COLUMN c TYPE varchar(20)").await,
        format!("{used} table s.used"),
        "any view on the table is in the way"
    );
    warehouse.must("ALTER TABLE s.used DROP COLUMN b CASCADE").await;
    assert_eq!(
        warehouse.must("SELECT count(*) FROM pg_views WHERE viewname LIKE 'reads%'").await,
        ["0"],
        "CASCADE drops the views"
    );
    warehouse.must("ALTER TABLE s.used DROP COLUMN a").await;
    has(
        &warehouse.error("ALTER TABLE s.used DROP COLUMN c").await,
        "cannot drop the only column of table s.used",
    );

    let in_block = "FAILED ERROR: ALTER TABLE ALTER COLUMN cannot run inside a transaction block";
    let widen = "ALTER TABLE s.used ALTER COLUMN c TYPE varchar(20)";
    assert_eq!(warehouse.transaction(&[widen]).await[1], in_block);
    let lines =
        warehouse.batch(&["BEGIN", widen, "COMMIT", widen], ExecutionMode::AutoCommit).await;
    assert_eq!(lines[2], in_block);
    assert_eq!(lines[4], "FINISHED 0", "after COMMIT it runs");
    assert_eq!(
        warehouse
            .must("SELECT character_maximum_length FROM svv_columns WHERE table_name = 'used'")
            .await,
        ["20"]
    );
}

async fn unblocked_changes(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE s.free (a int, b int)").await;
    warehouse.must("CREATE VIEW s.all_of_it AS SELECT * FROM s.free").await;
    warehouse.must("ALTER TABLE s.free ADD COLUMN c int").await;
    warehouse.must("ALTER TABLE s.free RENAME COLUMN a TO first").await;
    warehouse.must("INSERT INTO s.free VALUES (1, 2, 3)").await;
    assert_eq!(
        warehouse.must("SELECT a, * FROM s.all_of_it").await,
        ["1|1|2"],
        "the old columns by their old names"
    );
    warehouse.must("ALTER TABLE s.free RENAME TO freed").await;
    assert_eq!(
        warehouse.must("SELECT * FROM s.all_of_it").await,
        ["1|2"],
        "a bound view follows the table, not its name"
    );
}

async fn names_owners_and_comments(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE s.noted (a int)").await;
    warehouse.must("CREATE VIEW s.note_b AS SELECT a FROM s.noted").await;
    warehouse.must("CREATE VIEW s.note_l AS SELECT a FROM s.noted WITH NO SCHEMA BINDING").await;
    warehouse.must("CREATE USER note_owner PASSWORD 'Secret123'").await;
    for view in ["note_b", "note_l"] {
        warehouse.must(&format!("GRANT SELECT ON s.{view} TO PUBLIC")).await;
        warehouse
            .must(&format!("COMMENT ON VIEW \"S\".\"{}\" IS 'it''s seen'", view.to_uppercase()))
            .await;
        warehouse
            .must(&format!("ALTER TABLE s.{view} RENAME TO \"{}2\"", view.to_uppercase()))
            .await;
        assert_eq!(warehouse.must(&format!("SELECT * FROM s.{view}2")).await, [] as [&str; 0]);
        warehouse.must(&format!("ALTER TABLE s.{view}2 OWNER TO note_owner")).await;
    }
    warehouse.must("COMMENT ON TABLE \"S\".Noted IS 'a table'").await;
    warehouse.must("COMMENT ON COLUMN dev.\"S\".noted.\"A\" IS 'a column'").await;
    warehouse.must("COMMENT ON COLUMN s.note_b2.a IS 'seen column'").await;
    has(
        &warehouse.error("COMMENT ON COLUMN s.note_l2.a IS 'x'").await,
        "column \"a\" of relation \"s.note_l2\" does not exist",
    );
    let comments = "SELECT c.relname, d.objsubid, d.description, pg_get_userbyid(c.relowner) = \
                    'note_owner' FROM pg_description d JOIN pg_class c ON c.oid = d.objoid WHERE \
                    c.relname LIKE 'note%' ORDER BY 1, 2";
    assert_eq!(
        warehouse.must(comments).await,
        [
            "note_b2|0|it's seen|true",
            "note_b2|1|seen column|true",
            "note_l2|0|it's seen|true",
            "noted|0|a table|false",
            "noted|1|a column|false",
        ]
    );
    warehouse.must("DROP SCHEMA s CASCADE").await;
    assert_eq!(
        warehouse.must("SELECT count(*) FROM loader_local.view_definitions").await,
        ["0"],
        "nothing is left behind"
    );
}
