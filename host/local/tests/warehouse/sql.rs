//! Redshift's SQL where PostgreSQL differs: types, lengths in bytes, names, keys, ALTER, MERGE,
//! system views.

use crate::support::Warehouse;

#[tokio::test]
async fn redshift_sql() {
    let warehouse = Warehouse::start().await;
    types_and_lengths(&warehouse).await;
    altering(&warehouse).await;
    names_keys_and_literals(&warehouse).await;
    merging(&warehouse).await;
    views(&warehouse).await;
    warehouse.stop().await;
}

const COLUMNS: &str = "SELECT column_name, data_type, character_maximum_length, numeric_precision, \
                       numeric_scale, is_nullable FROM svv_columns WHERE table_schema = 'public' \
                       AND table_name = ";

async fn types_and_lengths(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE kinds (a text, b varchar ENCODE zstd, c varchar(max) NOT NULL, d \
             decimal, e numeric(38,18), f smallint, g int, h bigint, i real, j double precision, k \
             boolean, l date, m timestamp, n timestamptz, o char(3), p super) DISTSTYLE KEY \
             DISTKEY(a) SORTKEY(l, m)",
        )
        .await;
    assert_eq!(
        warehouse.must(&format!("{COLUMNS}'kinds' ORDER BY ordinal_position")).await,
        [
            "a|character varying|256|null|null|YES",
            "b|character varying|256|null|null|YES",
            "c|character varying|65535|null|null|NO",
            "d|numeric|null|18|0|YES",
            "e|numeric|null|38|18|YES",
            "f|smallint|null|16|0|YES",
            "g|integer|null|32|0|YES",
            "h|bigint|null|64|0|YES",
            "i|real|null|24|null|YES",
            "j|double precision|null|53|null|YES",
            "k|boolean|null|null|null|YES",
            "l|date|null|null|null|YES",
            "m|timestamp without time zone|null|null|null|YES",
            "n|timestamp with time zone|null|null|null|YES",
            "o|character|3|null|null|YES",
            "p|super|null|null|null|YES",
        ]
    );
    warehouse.must("CREATE TABLE narrow (id int, name varchar(5))").await;
    assert_eq!(warehouse.must("INSERT INTO narrow VALUES (1, 'ääx')").await, ["1"]);
    let too_long = "ERROR: value too long for type character varying(5)";
    assert_eq!(warehouse.error("INSERT INTO narrow VALUES (1, 'äää')").await, too_long);
    assert_eq!(warehouse.error("UPDATE narrow SET name = 'abcdef'").await, too_long);
    warehouse.must("CREATE TABLE alike (LIKE narrow)").await;
    assert_eq!(warehouse.error("INSERT INTO alike VALUES (1, 'äää')").await, too_long);
    let stage = warehouse
        .transaction(&[
            "CREATE TEMP TABLE stage (LIKE narrow, n bigint)",
            "INSERT INTO stage VALUES (1, 'äää', 2)",
        ])
        .await;
    assert_eq!(stage[2], format!("FAILED {too_long}"));
    warehouse.must("CREATE TABLE made AS SELECT name AS copy FROM narrow").await;
    assert_eq!(warehouse.error("INSERT INTO made VALUES ('äää')").await, too_long);
}

async fn altering(warehouse: &Warehouse) {
    warehouse.must("ALTER TABLE narrow ALTER COLUMN name TYPE varchar(10)").await;
    warehouse.must("INSERT INTO narrow VALUES (2, 'ääääx')").await;
    warehouse.must("ALTER TABLE narrow ADD COLUMN extra varchar DEFAULT 'q' NOT NULL").await;
    warehouse.must("ALTER TABLE narrow RENAME COLUMN extra TO other").await;
    assert_eq!(warehouse.must("SELECT * FROM narrow ORDER BY id").await, ["1|ääx|q", "2|ääääx|q"]);
    for (statement, expected) in [
        (
            "ALTER TABLE narrow ALTER COLUMN name TYPE varchar(11), ADD COLUMN x int",
            "syntax error at or near \",\"",
        ),
        ("ALTER TABLE narrow ADD COLUMN x int, ADD COLUMN y int", "syntax error at or near \",\""),
        ("ALTER TABLE narrow ADD COLUMN IF NOT EXISTS x int", "syntax error at or near \"IF\""),
        (
            "ALTER TABLE narrow ADD COLUMN x int NOT NULL",
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression",
        ),
        ("ALTER TABLE narrow ALTER COLUMN id TYPE bigint", "target data type is not supported"),
        (
            "ALTER TABLE narrow ALTER COLUMN id TYPE varchar(9)",
            "target column type is not supported",
        ),
        (
            "ALTER TABLE narrow ALTER COLUMN name TYPE varchar(10)",
            "target column size should be different",
        ),
        (
            "ALTER TABLE narrow ALTER COLUMN name TYPE varchar(4)",
            "existing data is longer than 4 bytes",
        ),
        (
            "ALTER TABLE narrow ALTER COLUMN name TYPE varchar(20) USING name",
            "does not support USING expression",
        ),
        (
            "ALTER TABLE narrow ALTER COLUMN name SET NOT NULL",
            "ALTER COLUMN SET NOT NULL is not supported",
        ),
        ("ALTER TABLE nothing ADD COLUMN x int", "relation \"nothing\" does not exist"),
    ] {
        let error = warehouse.error(statement).await;
        assert!(error.starts_with("ERROR: ") && error.contains(expected), "{statement}: {error}");
    }
}

async fn names_keys_and_literals(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE \"Mixed Case\" (\"Some ID\" int PRIMARY KEY, b int UNIQUE, \
                    FOREIGN KEY (b) REFERENCES \"mixed case\" (\"some id\"))",
        )
        .await;
    assert_eq!(
        warehouse.must("INSERT INTO \"mixed CASE\" (\"some id\", B) VALUES (1, 5), (1, 5)").await,
        ["2"],
        "keys are not enforced"
    );
    assert_eq!(
        warehouse.must("SELECT TOP 1 \"SOME ID\" FROM dev.public.\"mixed case\"").await,
        ["1"]
    );
    assert_eq!(
        warehouse
            .must(
                r"SELECT 'it''s', 'a\\b', 'a\'b', 'a''''b', '\\N', 'x
y'"
            )
            .await,
        ["it's|a\\b|a'b|a''b|\\N|x\ny"]
    );
    assert_eq!(
        warehouse
            .must(
                "SELECT DATEADD(month, 1, '2024-01-31'::date), DATEDIFF(day, '2024-02-28', \
                   '2024-03-01'), NVL(NULL, 3), LEN('äb'), GETDATE() > SYSDATE - 1::int * interval \
                   '1 day'"
            )
            .await,
        ["2024-02-29 00:00:00|2|3|2|true"]
    );
}

async fn merging(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE target (id int, name varchar(20))").await;
    warehouse.must("CREATE TABLE source (id int, name varchar(20))").await;
    warehouse.must("INSERT INTO target VALUES (1, 'old'), (2, 'kept')").await;
    warehouse.must("INSERT INTO source VALUES (1, 'new'), (3, 'added')").await;
    let merge = "MERGE INTO target USING source ON target.id = source.id WHEN MATCHED THEN UPDATE \
                 SET name = source.name WHEN NOT MATCHED THEN INSERT VALUES (source.id, \
                 source.name)";
    assert_eq!(warehouse.must(merge).await, ["2"]);
    assert_eq!(
        warehouse.must("SELECT * FROM target ORDER BY id").await,
        ["1|new", "2|kept", "3|added"]
    );
    warehouse.must("INSERT INTO source VALUES (1, 'twice')").await;
    assert_eq!(
        warehouse.error(merge).await,
        "ERROR: Found multiple matches to update the same tuple."
    );
    assert_eq!(
        warehouse
            .must("DELETE FROM public.target USING source WHERE public.target.id = source.id")
            .await,
        ["2"]
    );
}

async fn views(warehouse: &Warehouse) {
    warehouse.must("CREATE VIEW seen AS SELECT id, name FROM target WHERE name LIKE 'k%'").await;
    let dependents = "SELECT DISTINCT c.relname FROM pg_depend d JOIN pg_rewrite r ON d.objid = \
                      r.oid JOIN pg_class c ON c.oid = r.ev_class WHERE d.refobjid = \
                      'public.target'::regclass AND d.refobjsubid > 0";
    assert_eq!(warehouse.must(dependents).await, ["seen"]);
    let error = warehouse.error("DROP TABLE target").await;
    assert!(
        error.starts_with("ERROR: cannot drop table target because other objects depend on it"),
        "{error}"
    );
    warehouse.must("DROP TABLE target CASCADE").await;
    assert_eq!(
        warehouse
            .must(
                "SELECT table_name FROM svv_tables WHERE table_schema = 'loader_local' OR \
                   table_name = 'seen'"
            )
            .await,
        [] as [&str; 0]
    );
}
