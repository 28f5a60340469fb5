//! COPY of text by Redshift's rules: files, fields, nulls, and errors with the tables that show
//! them.

use std::io::Write;

use crate::support::{ROLE, Warehouse};

#[tokio::test]
async fn text_files() {
    let warehouse = Warehouse::start().await;
    empty_blank_and_null(&warehouse).await;
    conversions(&warehouse).await;
    files(&warehouse).await;
    columns(&warehouse).await;
    bad_rows(&warehouse).await;
    refused_statements(&warehouse).await;
    warehouse.stop().await;
}

/// The facts' table: the file's field, then VARCHAR and INTEGER with the options at the top.
async fn empty_blank_and_null(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE fields (id int, a varchar(9), b int)").await;
    warehouse.put("fields.csv", "1,,\n2,\"\",\"\"\n3,  ,  \n4,\\N,\\N\n5,NA,\n6,\"NA\",\"\"\n");
    for (options, expected) in [
        ("", ["1[]null", "2[]null", "3[  ]null", "4nullnull", "5[NA]null", "6[NA]null"]),
        (
            "EMPTYASNULL",
            ["1nullnull", "2nullnull", "3[  ]null", "4nullnull", "5[NA]null", "6[NA]null"],
        ),
        (
            "BLANKSASNULL",
            ["1[]null", "2[]null", "3nullnull", "4nullnull", "5[NA]null", "6[NA]null"],
        ),
        ("TRIMBLANKS", ["1[]null", "2[]null", "3[]null", "4nullnull", "5[NA]null", "6[NA]null"]),
    ] {
        warehouse.must("TRUNCATE fields").await;
        warehouse
            .must(&format!(
                "COPY fields FROM 's3://demo/fields.csv' {ROLE} FORMAT AS CSV {options}"
            ))
            .await;
        let rows = warehouse
            .must(
                "SELECT id || NVL('[' || a || ']', 'null') || NVL(b::varchar, 'null') FROM \
                   fields ORDER BY id",
            )
            .await;
        assert_eq!(rows, expected, "{options}");
    }
    warehouse.must("TRUNCATE fields").await;
    warehouse.put("marked.csv", "5,NA,NA\n6,\"NA\",\n");
    warehouse
        .must(&format!("COPY fields FROM 's3://demo/marked.csv' {ROLE} CSV NULL AS 'NA'"))
        .await;
    assert_eq!(
        warehouse.must("SELECT * FROM fields ORDER BY id").await,
        ["5|null|null", "6|null|null"]
    );
}

async fn conversions(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE kinds (a smallint, b bigint, c decimal(8,2), d double precision, e \
               boolean, f date, g timestamp, h timestamptz, i char(3), j super)",
        )
        .await;
    warehouse.put(
        "kinds.txt",
        "-7|9223372036854775807|20.259|1e3|YES|2024-02-29 \
                                23:59:59|2024-02-29 01:02:03.5|2024-02-29 01:02:03+02|ab|{\"x\": \
                                1}\n",
    );
    warehouse.must(&format!("COPY kinds FROM 's3://demo/kinds.txt' {ROLE}")).await;
    warehouse.put("rounded.txt", "0|0|20.255|.5|0|29.02.2024|1700000000||a|1\n");
    warehouse
        .must(&format!(
            "COPY kinds FROM 's3://demo/rounded.txt' ROUNDEC DATEFORMAT \
                             'DD.MM.YYYY' {ROLE} TIMEFORMAT AS 'epochsecs' MAXERROR 1 DELIMITER \
                             '|'"
        ))
        .await;
    assert_eq!(
        warehouse.must("SELECT a, b, c, d, e, f, g, i FROM kinds ORDER BY a").await,
        [
            "-7|9223372036854775807|20.25|1000|true|2024-02-29|2024-02-29 01:02:03.5|ab ",
            "0|0|20.26|0.5|false|2024-02-29|2023-11-14 22:13:20|a  ",
        ]
    );
    assert_eq!(
        warehouse.must("SELECT h FROM kinds WHERE a = -7").await,
        ["2024-02-28 23:02:03+00"]
    );
    warehouse.must("CREATE TABLE stamps (t timestamp)").await;
    warehouse.put("iso.csv", "2024-02-29T01:02:03Z\n");
    assert!(
        warehouse.sql(&format!("COPY stamps FROM 's3://demo/iso.csv' {ROLE} CSV")).await.is_err()
    );
    warehouse
        .must(&format!("COPY stamps FROM 's3://demo/iso.csv' {ROLE} CSV TIMEFORMAT 'auto'"))
        .await;
    assert_eq!(warehouse.must("SELECT t FROM stamps").await, ["2024-02-29 01:02:03"]);
}

async fn files(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE parts (n int)").await;
    for (key, content) in [
        ("p/x.csv", "h\n1\n"),
        ("p/x.csv.1", "h\n2\n"),
        ("p/x.csvs/deep", "h\r\n3\r\n"),
        ("p/y.csv", "h\n4\n"),
        ("p/x.csv.empty", ""),
    ] {
        warehouse.put(key, content);
    }
    assert_eq!(
        warehouse
            .must(&format!("COPY parts FROM 's3://demo/p/x.csv' {ROLE} CSV IGNOREHEADER 1"))
            .await,
        ["3"]
    );
    assert_eq!(
        warehouse.must("SELECT n FROM parts ORDER BY n").await,
        ["1", "2", "3"],
        "a path is a prefix, and every file has a header"
    );

    warehouse.must("TRUNCATE parts").await;
    let entry = |key: &str, mandatory: bool| {
        format!("{{\"url\": \"s3://demo/{key}\", \"mandatory\": {mandatory}}}")
    };
    warehouse.put(
        "p/manifest",
        format!("{{\"entries\": [{}, {}]}}", entry("p/x.csv", true), entry("p/none", false)),
    );
    warehouse
        .must(&format!("COPY parts FROM 's3://demo/p/manifest' {ROLE} CSV IGNOREHEADER 1 MANIFEST"))
        .await;
    assert_eq!(warehouse.must("SELECT n FROM parts").await, ["1"]);
    warehouse.put("p/manifest", format!("{{\"entries\": [{}]}}", entry("p/none", true)));
    let missing = warehouse
        .error(&format!("COPY parts FROM 's3://demo/p/manifest' {ROLE} CSV MANIFEST"))
        .await;
    assert!(missing.contains("Mandatory url is not present in S3: s3://demo/p/none"), "{missing}");
    let partial =
        warehouse.error(&format!("COPY parts FROM 's3://demo/p/mani' {ROLE} CSV MANIFEST")).await;
    assert!(
        partial.contains("COPY with MANIFEST parameter requires full path of an S3 object."),
        "{partial}"
    );
    let nothing = warehouse.error(&format!("COPY parts FROM 's3://demo/q/' {ROLE} CSV")).await;
    assert!(nothing.starts_with("ERROR: The specified S3 prefix 'q/' does not exist"), "{nothing}");

    warehouse.must("TRUNCATE parts").await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"5\n").unwrap();
    warehouse.put("z/a.gz", gzip.finish().unwrap());
    warehouse.put("z/b.zst", zstd::encode_all(&b"6\n"[..], 1).unwrap());
    warehouse.must(&format!("COPY parts FROM 's3://demo/z/a' {ROLE} CSV GZIP")).await;
    warehouse.must(&format!("COPY parts FROM 's3://demo/z/b' {ROLE} CSV ZSTD")).await;
    assert_eq!(warehouse.must("SELECT n FROM parts ORDER BY n").await, ["5", "6"]);
    assert!(
        warehouse.sql(&format!("COPY parts FROM 's3://demo/z/b' {ROLE} CSV GZIP")).await.is_err()
    );
}

async fn columns(warehouse: &Warehouse) {
    warehouse
        .must(
            "CREATE TABLE wide (id bigint IDENTITY(1,1), a int, b varchar(5) DEFAULT 'dflt', c int \
             NOT NULL DEFAULT 7)",
        )
        .await;
    warehouse.put("wide.csv", "2,1\n4,\n");
    warehouse.must(&format!("COPY wide (c, a) FROM 's3://demo/wide.csv' {ROLE} CSV")).await;
    warehouse.put("null.csv", ",x\n");
    warehouse.must(&format!("COPY wide (c, b) FROM 's3://demo/null.csv' {ROLE} CSV")).await;
    assert_eq!(
        warehouse.must("SELECT * FROM wide ORDER BY id").await,
        ["1|1|dflt|2", "2|null|dflt|4", "3|null|x|7"]
    );
    warehouse.put("short.csv", "9\n");
    warehouse
        .must(&format!("COPY wide (c, b, a) FROM 's3://demo/short.csv' {ROLE} CSV FILLRECORD"))
        .await;
    assert_eq!(warehouse.must("SELECT a, b, c FROM wide WHERE c = 9").await, ["null||9"]);
    let error =
        warehouse.error(&format!("COPY wide (nothing) FROM 's3://demo/wide.csv' {ROLE} CSV")).await;
    assert_eq!(error, "ERROR: column \"nothing\" of relation \"wide\" does not exist");
}

const ERRORS: &str = "SELECT line_number, TRIM(column_name), TRIM(column_type), \
                      TRIM(column_length), position, error_code, TRIM(error_message) FROM \
                      sys_load_error_detail ORDER BY start_time, line_number";

async fn bad_rows(warehouse: &Warehouse) {
    warehouse.must("CREATE TABLE strict (id int NOT NULL, name varchar(4))").await;
    warehouse.must("DELETE FROM loader_local.load_errors").await;
    let text = "1,ok\nx,ok\n3,äää\n,ok\n5\n6,ok,more\n7,a\"b\n99999999999,ok\n9,\"ok\n\"\n";
    warehouse.put("bad.csv", text);
    let copy = format!("COPY strict FROM 's3://demo/bad.csv' {ROLE} CSV");
    let failed =
        warehouse.transaction(&["INSERT INTO strict VALUES (0, 'a')", &copy, "SELECT 1"]).await;
    assert_eq!(
        failed[2],
        "FAILED ERROR: Load into table 'strict' failed.  Check 'stl_load_errors' system table for \
         details."
    );
    assert_eq!(warehouse.must("SELECT COUNT(*) FROM strict").await, ["0"]);
    assert_eq!(
        warehouse.must(ERRORS).await,
        ["2|id|int4|0|0|1207|Invalid digit, Value 'x', Pos 0, Type: Integer"]
    );

    warehouse.must("DELETE FROM loader_local.load_errors").await;
    assert_eq!(warehouse.must(&format!("{copy} MAXERROR 8")).await, ["2"]);
    assert_eq!(warehouse.must("SELECT id FROM strict ORDER BY id").await, ["1", "9"]);
    assert_eq!(
        warehouse.must(ERRORS).await,
        [
            "2|id|int4|0|0|1207|Invalid digit, Value 'x', Pos 0, Type: Integer",
            "3|name|varchar|4|2|1204|String length exceeds DDL length",
            "4|id|int4|0|0|1213|Missing data for not-null field",
            "5|name|varchar|4|1|1214|Delimiter not found",
            "6||||5|1202|Extra column(s) found",
            "7||||3|1200|Invalid quote formatting for CSV",
            "8|id|int4|0|0|1222|Overflow for INTEGER",
        ]
    );
    let raw = "SELECT TRIM(raw_line), TRIM(raw_field_value), TRIM(filename) FROM stl_load_errors \
               WHERE line_number = 3";
    assert_eq!(warehouse.must(raw).await, ["3,äää|äää|s3://demo/bad.csv"]);
    warehouse.must("TRUNCATE strict").await;
    warehouse.put("long.csv", "1,äääx\n");
    warehouse
        .must(&format!("COPY strict FROM 's3://demo/long.csv' {ROLE} CSV TRUNCATECOLUMNS"))
        .await;
    assert_eq!(warehouse.must("SELECT name FROM strict").await, ["ää"]);
    assert_eq!(
        warehouse
            .must(&format!(
                "COPY strict FROM 's3://demo/long.csv' {ROLE} CSV TRUNCATECOLUMNS NOLOAD"
            ))
            .await,
        ["1"]
    );
    assert_eq!(warehouse.must("SELECT COUNT(*) FROM strict").await, ["1"]);
    let counted = warehouse
        .transaction(&[
            &format!("COPY strict FROM 's3://demo/long.csv' {ROLE} CSV TRUNCATECOLUMNS"),
            "SELECT pg_last_copy_count()",
        ])
        .await;
    assert_eq!(counted[2], "FINISHED 1");
}

async fn refused_statements(warehouse: &Warehouse) {
    for (rest, expected) in [
        ("CSV".to_owned(), "COPY needs an authorization"),
        (format!("{ROLE} CSV ESCAPE"), "CSV is not compatible with ESCAPE"),
        (format!("{ROLE} CSV CSV"), "conflicting or redundant options"),
        (format!("{ROLE} CSV GZIP ZSTD"), "conflicting or redundant options"),
        (format!("{ROLE} CSV DELIMITER '||'"), "COPY DELIMITER must be a single ASCII character"),
        (format!("{ROLE} CSV DELIMITER '\"'"), "COPY delimiter and quote must be different"),
        (
            format!("{ROLE} PARQUET MAXERROR 3"),
            "MAXERROR argument is not supported for PARQUET based COPY",
        ),
        (
            format!("{ROLE} FORMAT AS PARQUET GZIP"),
            "GZIP argument is not supported for PARQUET based COPY",
        ),
        (format!("{ROLE} CSV SIDEWAYS"), "syntax error at or near \"SIDEWAYS\""),
        ("IAM_ROLE 'me' CSV".to_owned(), "Invalid IAM_ROLE 'me'"),
        (
            format!("{ROLE} CSV; SELECT 1"),
            "cannot insert multiple commands into a prepared statement",
        ),
    ] {
        let error = warehouse.error(&format!("COPY parts FROM 's3://demo/p/x.csv' {rest}")).await;
        assert!(error.starts_with("ERROR: ") && error.contains(expected), "{rest}: {error}");
    }
    let error = warehouse.error(&format!("COPY nothing FROM 's3://demo/p/x.csv' {ROLE} CSV")).await;
    assert_eq!(error, "ERROR: Cannot COPY into nonexistent table nothing");
}
