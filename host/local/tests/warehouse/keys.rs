//! Distribution, sort order, encodings and keys: recorded, shown by the catalog, never enforced.
//! The other properties of columns are in `columns`.

use crate::columns;
use crate::support::Warehouse;

#[tokio::test]
async fn keys_and_columns() {
    let warehouse = Warehouse::start().await;
    declared_with_the_table(&warehouse).await;
    inherited_and_computed(&warehouse).await;
    altered(&warehouse).await;
    dropped(&warehouse).await;
    obstacles(&warehouse).await;
    table_info(&warehouse).await;
    refused_statements(&warehouse).await;
    columns::identity_columns(&warehouse).await;
    columns::types_and_defaults(&warehouse).await;
    columns::casts(&warehouse).await;
    warehouse.stop().await;
}

/// Name, DISTKEY, place in the SORTKEY, encoding, of every column.
async fn layout(warehouse: &Warehouse, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT a.attname, a.attisdistkey, a.attsortkeyord, \
         format_encoding(a.attencodingtype::integer) AS encoding FROM pg_attribute a JOIN pg_class \
         c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = \
         'public' AND c.relname = '{table}' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY \
         a.attnum"
    );
    warehouse.must(&sql).await
}

/// Name, kind and column of every key.
async fn keys(warehouse: &Warehouse, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT k.conname, k.contype, a.attname FROM pg_constraint k JOIN pg_attribute a ON \
         a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) JOIN pg_class c ON c.oid = \
         k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND \
         c.relname = '{table}' AND k.contype IN ('p', 'u', 'f') ORDER BY 1, a.attnum"
    );
    warehouse.must(&sql).await
}

async fn declared_with_the_table(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE parent (id bigint, region char(2) ENCODE bytedict, name varchar(20) \
             ENCODE text255 UNIQUE, day date ENCODE raw, price decimal(9,2), ok boolean, PRIMARY \
             KEY (id, region)) DISTSTYLE KEY DISTKEY (id) COMPOUND SORTKEY (day, id)",
        )
        .await;
    assert_eq!(
        layout(warehouse, "parent").await,
        [
            "id|true|2|none",
            "region|false|0|bytedict",
            "name|false|0|text255",
            "day|false|1|none",
            "price|false|0|az64",
            "ok|false|0|none",
        ]
    );
    assert_eq!(
        keys(warehouse, "parent").await,
        ["parent_name_key|u|name", "parent_pkey|p|id", "parent_pkey|p|region"]
    );
    assert_eq!(
        warehouse.error("INSERT INTO parent (id, name) VALUES (1, 'a')").await,
        "ERROR: Cannot insert a NULL value into column region",
        "a primary key is NOT NULL"
    );
    warehouse.must("INSERT INTO parent VALUES (1, 'de', 'a'), (1, 'de', 'a')").await;
    warehouse
        .must(
            "CREATE TABLE child (id int PRIMARY KEY DISTKEY SORTKEY, parent_id bigint, region \
             char(2), other varchar(20) REFERENCES parent (name), CONSTRAINT to_parent FOREIGN KEY \
             (parent_id, region) REFERENCES parent)",
        )
        .await;
    assert_eq!(layout(warehouse, "child").await[0], "id|true|1|none");
    assert_eq!(
        keys(warehouse, "child").await,
        [
            "child_other_fkey|f|other",
            "child_pkey|p|id",
            "to_parent|f|parent_id",
            "to_parent|f|region"
        ]
    );
    assert_eq!(
        warehouse
            .must(
                "SELECT conname, confrelid::regclass, array_to_string(confkey, ',') FROM \
                   pg_constraint WHERE contype = 'f' ORDER BY 1"
            )
            .await,
        ["child_other_fkey|parent|3", "to_parent|parent|1,2"]
    );
    warehouse
        .must(
            "CREATE TABLE woven (a int, b int, c int) DISTSTYLE ALL INTERLEAVED SORTKEY (c, a, b)",
        )
        .await;
    assert_eq!(
        layout(warehouse, "woven").await,
        ["a|false|-2|none", "b|false|3|none", "c|false|1|none"]
    );
    warehouse.must("CREATE TABLE plain (a int, b varchar(5), c super)").await;
    assert_eq!(
        layout(warehouse, "plain").await,
        ["a|false|0|az64", "b|false|0|lzo", "c|false|0|zstd"]
    );
    let defined = warehouse
        .must(
            "SELECT \"column\", type, encoding, distkey, sortkey, \"notnull\" FROM pg_table_def \
             WHERE tablename = 'parent' AND schemaname = 'public'",
        )
        .await;
    for row in ["id|bigint|none|true|2|true", "region|character(2)|bytedict|false|0|true"] {
        assert!(defined.iter().any(|defined| defined == row), "{row} is not in {defined:?}");
    }
    warehouse.must("CREATE SCHEMA aside").await;
    warehouse.must("CREATE TABLE aside.hidden (a int SORTKEY)").await;
    let hidden = "SELECT \"column\", sortkey FROM pg_table_def WHERE tablename = 'hidden'";
    assert_eq!(warehouse.must(hidden).await, [] as [&str; 0], "not in search_path");
    let batch = warehouse.transaction(&["SET search_path TO aside", hidden]).await;
    assert_eq!(batch[2], "FINISHED a|1");
    assert_eq!(
        warehouse
            .must(
                "SELECT column_name, encoding, distkey, sortkey FROM svv_redshift_columns WHERE \
                 schema_name = 'aside'"
            )
            .await,
        ["a|none|false|1"]
    );
    // A table that exists already keeps its keys.
    warehouse.must("CREATE TABLE IF NOT EXISTS plain (a int DISTKEY)").await;
    warehouse.must("CREATE TABLE bare (a int)").await;
    assert_eq!(layout(warehouse, "plain").await[0], "a|false|0|az64");
    assert_eq!(
        layout(warehouse, "bare").await,
        ["a|false|0|az64"],
        "declarations end with their statement"
    );
}

async fn inherited_and_computed(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE alike (extra int, LIKE parent)").await;
    assert_eq!(
        layout(warehouse, "alike").await,
        [
            "extra|false|0|az64",
            "id|true|2|none",
            "region|false|0|bytedict",
            "name|false|0|text255",
            "day|false|1|none",
            "price|false|0|az64",
            "ok|false|0|none",
        ]
    );
    assert_eq!(keys(warehouse, "alike").await, [] as [&str; 0]);
    assert_eq!(
        warehouse.error("INSERT INTO alike (id) VALUES (1)").await,
        "ERROR: Cannot insert a NULL value into column region"
    );
    warehouse
        .must(
            "CREATE TABLE computed DISTKEY (b) SORTKEY (a, b) AS SELECT id AS a, name AS b \
                    FROM parent",
        )
        .await;
    assert_eq!(layout(warehouse, "computed").await, ["a|false|1|none", "b|true|2|none"]);
    warehouse
        .must("CREATE VIEW late AS SELECT id AS a FROM public.parent WITH NO SCHEMA BINDING")
        .await;
    warehouse.must("CREATE TABLE from_late SORTKEY (a) AS SELECT a FROM late").await;
    assert_eq!(layout(warehouse, "from_late").await, ["a|false|1|none"]);
    let stage = warehouse
        .transaction(&[
            "CREATE TEMP TABLE stage (LIKE parent)",
            "SELECT attname FROM pg_attribute WHERE attrelid = 'stage'::regclass AND attisdistkey",
        ])
        .await;
    assert_eq!(stage[2], "FINISHED id");
    let undone =
        warehouse.transaction(&["CREATE TABLE undone (a int DISTKEY)", "SELECT 1 / 0"]).await;
    assert!(undone[0].starts_with("FAILED"));
}

async fn altered(warehouse: &Warehouse) {
    for statement in [
        "ALTER TABLE plain ALTER DISTKEY a",
        "ALTER TABLE plain ALTER COMPOUND SORTKEY (b, a)",
        "ALTER TABLE plain ALTER COLUMN a ENCODE zstd, ALTER COLUMN c ENCODE raw",
        "ALTER TABLE plain ADD COLUMN d varchar(9) ENCODE text32k",
        "ALTER TABLE plain ADD COLUMN e int NOT NULL DEFAULT 0",
        "ALTER TABLE plain ADD CONSTRAINT by_e UNIQUE (e)",
        "ALTER TABLE plain ADD PRIMARY KEY (e)",
        "ALTER TABLE plain ADD FOREIGN KEY (b) REFERENCES parent (name)",
        "ALTER TABLE plain RENAME COLUMN b TO bb",
        "ALTER TABLE plain RENAME TO plainer",
    ] {
        warehouse.must(statement).await;
    }
    assert_eq!(
        layout(warehouse, "plainer").await,
        [
            "a|true|2|zstd",
            "bb|false|1|none",
            "c|false|0|none",
            "d|false|0|text32k",
            "e|false|0|az64"
        ]
    );
    assert_eq!(
        keys(warehouse, "plainer").await,
        ["by_e|u|e", "plain_b_fkey|f|bb", "plain_pkey|p|e"]
    );
    for statement in [
        "ALTER TABLE plainer ALTER DISTSTYLE EVEN",
        "ALTER TABLE plainer ALTER SORTKEY NONE",
        "ALTER TABLE plainer ALTER COLUMN a ENCODE auto",
        "ALTER TABLE plainer DROP CONSTRAINT plain_pkey",
    ] {
        warehouse.must(statement).await;
    }
    assert_eq!(layout(warehouse, "plainer").await[..2], ["a|false|0|az64", "bb|false|0|lzo"]);
    assert_eq!(keys(warehouse, "plainer").await, ["by_e|u|e", "plain_b_fkey|f|bb"]);
    let in_block = warehouse.transaction(&["ALTER TABLE plainer ALTER COLUMN a ENCODE zstd"]).await;
    assert!(in_block[1].contains("cannot run inside a transaction block"), "{in_block:?}");
    // The swap that widens an integer.
    let swap = [
        "LOCK plainer",
        "ALTER TABLE plainer ADD COLUMN \"_new\" BIGINT",
        "UPDATE plainer SET \"_new\" = \"a\"",
        "ALTER TABLE plainer DROP COLUMN \"a\"",
        "ALTER TABLE plainer RENAME COLUMN \"_new\" TO \"a\"",
    ];
    assert_eq!(warehouse.transaction(&swap).await[0], "FINISHED -");
}

async fn dropped(warehouse: &Warehouse) {
    for (statement, expected) in [
        ("ALTER TABLE child DROP COLUMN id", "ERROR: cannot drop distkey column \"id\""),
        ("ALTER TABLE parent DROP COLUMN day", "ERROR: cannot drop sortkey column \"day\""),
        ("ALTER TABLE woven DROP COLUMN b CASCADE", "ERROR: cannot drop sortkey column \"b\""),
    ] {
        assert_eq!(warehouse.error(statement).await, expected, "{statement}");
    }
    warehouse.must("ALTER TABLE child DROP COLUMN region").await;
    assert_eq!(keys(warehouse, "child").await, ["child_other_fkey|f|other", "child_pkey|p|id"]);
    warehouse.must("DROP TABLE parent").await;
    assert_eq!(keys(warehouse, "child").await, ["child_pkey|p|id"]);
    let of_dropped = "SELECT (SELECT COUNT(*) FROM loader_local.table_keys k WHERE NOT EXISTS \
                      (SELECT 1 FROM pg_class c WHERE c.oid = k.relation)), (SELECT COUNT(*) FROM \
                      loader_local.declared_constraints k WHERE NOT EXISTS (SELECT 1 FROM pg_class \
                      c WHERE c.oid = k.relation))";
    let before = warehouse.must(of_dropped).await;
    warehouse.must("DROP TABLE child, alike, woven").await;
    assert_eq!(warehouse.must(of_dropped).await, before, "nothing is left of dropped tables");
}

async fn obstacles(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE narrow (a varchar(5) ENCODE bytedict, b varchar(5) ENCODE runlength, c \
             varchar(5) ENCODE text255, d varchar(5) ENCODE text32k, e varchar(5) UNIQUE, f \
             varchar(5) PRIMARY KEY, g varchar(5) REFERENCES narrow (e), h varchar(5) ENCODE zstd \
             DISTKEY)",
        )
        .await;
    let key = "column is part of a PRIMARY KEY, UNIQUE or FOREIGN KEY constraint";
    for (column, obstacle) in [
        ("a", "column encoding bytedict is not supported"),
        ("b", "column encoding runlength is not supported"),
        ("c", "column encoding text255 is not supported"),
        ("d", "column encoding text32k is not supported"),
        ("e", key),
        ("f", key),
        ("g", key),
    ] {
        let error = warehouse
            .error(&format!("ALTER TABLE narrow ALTER COLUMN {column} TYPE varchar(9)"))
            .await;
        assert_eq!(
            error,
            format!("ERROR: cannot alter column \"{column}\" of relation \"narrow\", {obstacle}")
        );
    }
    // Another encoding and the DISTKEY do not block the change.
    warehouse.must("ALTER TABLE narrow ALTER COLUMN h TYPE varchar(9)").await;
    warehouse.must("ALTER TABLE narrow ALTER COLUMN a ENCODE lzo").await;
    warehouse.must("ALTER TABLE narrow ALTER COLUMN a TYPE varchar(9)").await;
}

async fn table_info(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE filled (a int, b varchar(30)) DISTKEY (b) SORTKEY (b, a)").await;
    warehouse.must("INSERT INTO filled VALUES (1, 'x'), (2, 'y')").await;
    let info = "SELECT schema, \"table\", diststyle, sortkey1, sortkey_num, sortkey1_enc, \
                max_varchar, tbl_rows, estimated_visible_rows FROM svv_table_info WHERE \"table\" \
                IN ('filled', 'bare', 'woven2', 'auto') ORDER BY 2";
    assert_eq!(
        warehouse.must(info).await,
        ["public|filled|KEY(b)|b|2|none|30|2|2.00"],
        "empty tables are absent"
    );
    warehouse
        .must("CREATE TABLE woven2 DISTSTYLE EVEN INTERLEAVED SORTKEY (a) AS SELECT a FROM filled")
        .await;
    warehouse.must("CREATE TABLE auto AS SELECT a FROM filled").await;
    assert_eq!(
        warehouse.must(info).await,
        [
            "public|auto|AUTO(ALL)|AUTO(SORTKEY)|0|null|null|2|2.00",
            "public|filled|KEY(b)|b|2|none|30|2|2.00",
            "public|woven2|EVEN|INTERLEAVED|1|none|null|2|2.00",
        ]
    );
}

async fn refused_statements(warehouse: &Warehouse) {
    for (statement, expected) in [
        ("CREATE TABLE x (a int DISTKEY, b int DISTKEY)", "only one DISTKEY"),
        ("CREATE TABLE x (a int) DISTKEY (b)", "column \"b\" named in key does not exist"),
        ("CREATE TABLE x (a int, PRIMARY KEY (b))", "column \"b\" named in key does not exist"),
        (
            "CREATE TABLE x (a int PRIMARY KEY, b int, PRIMARY KEY (b))",
            "multiple primary keys for table \"x\" are not allowed",
        ),
        (
            "CREATE TABLE x (a int DISTKEY) DISTSTYLE EVEN",
            "cannot specify DISTKEY when DISTSTYLE is EVEN",
        ),
        ("CREATE TABLE x (a int) DISTSTYLE KEY", "DISTSTYLE KEY needs a DISTKEY"),
        ("CREATE TABLE x (LIKE filled) DISTKEY (a)", "cannot be set in CREATE TABLE LIKE"),
        (
            "CREATE TABLE x (a int ENCODE text255)",
            "invalid encoding type specified for column \"a\"",
        ),
        (
            "CREATE TABLE x (a varchar(5) ENCODE az64)",
            "invalid encoding type specified for column \"a\"",
        ),
        ("CREATE TABLE x (a int ENCODE nosuch)", "syntax error at or near \"nosuch\""),
        ("CREATE TABLE x (a int REFERENCES nothing)", "relation \"nothing\" does not exist"),
        (
            "CREATE TABLE x (a int REFERENCES filled (a))",
            "there is no unique constraint matching given keys for referenced table \"filled\"",
        ),
        (
            "CREATE TABLE x (a int REFERENCES filled)",
            "there is no primary key for referenced table \"filled\"",
        ),
        ("ALTER TABLE filled ADD PRIMARY KEY (a)", "nullable column \"a\""),
        (
            "ALTER TABLE filled ADD COLUMN c int DISTKEY",
            "does not support columns defined with DISTKEY or SORTKEY",
        ),
        (
            "ALTER TABLE filled DROP CONSTRAINT nothing",
            "constraint \"nothing\" of relation \"filled\" does not exist",
        ),
        (
            "ALTER TABLE filled ALTER COLUMN b ENCODE mostly8",
            "invalid encoding type specified for column \"b\"",
        ),
        (
            "ALTER TABLE filled ALTER SORTKEY (nothing)",
            "column \"nothing\" named in key does not exist",
        ),
        ("ALTER TABLE nothing ALTER SORTKEY (a)", "relation \"nothing\" does not exist"),
    ] {
        let error = warehouse.error(statement).await;
        assert!(error.contains(expected), "{statement}: {error}");
    }
}
