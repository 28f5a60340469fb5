//! Services that do not do what the loader relies on: their answers are changed on the way.

use std::sync::Mutex;

use loader_tests::proxy::{Proxy, value_of, with_length};
use loader_tests::{Place, run};

use super::site::{Findings, doctor, endpoints, here, remote_doctor};

/// An examination with changed answers of the Data API.
fn with_data_api(place: &Place, proxy: &Proxy, more: &[&str]) -> Findings {
    Findings::of(run(&mut remote_doctor(place, &endpoints().s3, &proxy.url, more)))
}

/// The Data API with another result for some statements: each whose SQL has `sql` in it, but for
/// the first ones, of which it leaves `passed` as they are.
fn answering(to: &str, sql: &'static str, passed: usize, [from, by]: [&'static str; 2]) -> Proxy {
    // The ids of the statements, in their order.
    let asked = Mutex::new(Vec::new());
    Proxy::changing(to, move |request, answer| {
        let mut asked = asked.lock().expect("no test panicked here");
        if request.contains(sql) {
            asked.extend(value_of("Id", &answer));
        }
        let is_result = request.contains("RedshiftData.GetStatementResult");
        let place = value_of("Id", request).and_then(|id| asked.iter().position(|of| *of == id));
        match place.is_some_and(|place| is_result && place >= passed) {
            true => with_length(&answer.replace(from, by)),
            false => answer,
        }
    })
}

#[test]
fn storage_that_ignores_conditions() {
    let place = Place::new("doctor-unconditional");
    let mut text = String::new();
    for method in ["GET", "PUT", "DELETE"] {
        let proxy = Proxy::changing(&endpoints().s3, move |request, answer| {
            let is_for_other_version = request.starts_with(method)
                && request.contains("\"00000000000000000000000000000000\"");
            match is_for_other_version {
                true => {
                    with_length("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n<CopyObjectResult/>")
                }
                false => answer,
            }
        });
        let mut command =
            remote_doctor(&place, &proxy.url, &endpoints().redshift_data, &["--only", "bucket"]);
        text += &Findings::of(run(&mut command)).failed();
    }
    // A name that is taken is taken once more.
    let proxy = Proxy::changing(&endpoints().s3, |request, answer| {
        match request.contains("if-none-match: *") && answer.starts_with("HTTP/1.1 412") {
            true => with_length("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n<CopyObjectResult/>"),
            false => answer,
        }
    });
    let mut command =
        remote_doctor(&place, &proxy.url, &endpoints().redshift_data, &["--only", "bucket"]);
    text += &Findings::of(run(&mut command)).failed();
    insta::assert_snapshot!(text, @"
    data/in/: GetObject for another version of an object (If-Match) was carried out
        -> this storage ignores conditions, so files may be lost; use a bucket of Amazon S3
    data/archive/: CopyObject for another version of an object (x-amz-copy-source-if-match) was carried out
        -> this storage ignores conditions, so files may be lost; use a bucket of Amazon S3
    data/archive/: DeleteObject for another version of an object (If-Match) was carried out
        -> this storage ignores conditions, so files may be lost; use a bucket of Amazon S3
    data/archive/: CopyObject onto an object that is there (If-None-Match) was carried out
        -> this storage ignores conditions, so files may be lost; use a bucket of Amazon S3
    data/rejected/: PutObject onto an object that is there (If-None-Match) was carried out
        -> this storage ignores conditions, so files may be lost; use a bucket of Amazon S3
    logs/: PutObject onto an object that is there (If-None-Match) was carried out
        -> this storage ignores conditions, so files may be lost; use a bucket of Amazon S3
    ");
}

#[test]
fn a_data_api_without_sessions_and_without_waiting() {
    let place = Place::new("doctor-no-sessions");
    let proxy = Proxy::replacing(&endpoints().redshift_data, "\"SessionId\"", "\"Other\"");
    let findings = with_data_api(&place, &proxy, &["--only", "warehouse"]);
    insta::assert_snapshot!(findings.failed(), @"
    sessions: the Data API opened no session
        -> a load over --split-load-above needs a session; set that above the size of all files
    ");
    let proxy = Proxy::changing(&endpoints().redshift_data, |request, answer| {
        if !request.contains("WaitTimeSeconds") {
            return answer;
        }
        let refusal = r#"{"__type":"ValidationException","Message":"unknown member"}"#;
        with_length(&format!("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n{refusal}"))
    });
    let findings = with_data_api(&place, &proxy, &["--only", "warehouse"]);
    insta::assert_snapshot!(findings.failed(), @"");
    insta::assert_snapshot!(here(&findings, "waiting looks"), @"DescribeStatement takes no WaitTimeSeconds (looking at a statement failed: ValidationException: unknown member); the loader looks every few seconds instead");
}

#[test]
fn refusals_in_other_words() {
    let place = Place::new("doctor-other-words");
    let mut text = String::new();
    for (from, by) in [
        ("division by zero", "a bad quotient"),
        ("does not exist", "is unheard of"),
        ("already exists", "is known"),
        ("target column size should be different", "it is"),
        ("used by a view or rule", "in use"),
        ("on user's request", "somehow"),
    ] {
        let proxy = Proxy::replacing(&endpoints().redshift_data, from, by);
        text += &with_data_api(&place, &proxy, &["--only", "refusals"]).failed();
    }
    // Nothing is denied to the user of a workgroup here.
    let user = format!("{}_u", place.schema());
    place.execute(&format!("CREATE USER {user} PASSWORD DISABLE"));
    place.execute(&format!("GRANT CREATE ON DATABASE dev TO {user}"));
    let as_user = ["--only", "refusals", "--cluster-identifier", "c", "--db-user", &user];
    let proxy = Proxy::replacing(&endpoints().redshift_data, "permission denied", "not so");
    text += &with_data_api(&place, &proxy, &as_user).failed();
    // The number of the cancelled query is another each time.
    let (before, behind) = text.split_once("Query (").expect("a query is cancelled");
    let text = format!("{before}Query (#{}", behind.trim_start_matches(|c: char| c.is_numeric()));
    insta::assert_snapshot!(text, @r#"
    guard: no known reason is read from these words: ERROR: a bad quotient
        -> report it to the project, with the file of --save: from such words a load decides that a file was loaded before, or that a load would break a promise
    missing table: no known reason is read from these words: ERROR: relation "loader_doctor_#.refused_missing" is unheard of
        -> report it to the project, with the file of --save: from such words a load decides that the ledger has to be made
    missing schema: no known reason is read from these words: ERROR: relation "refused_missing.t" is unheard of
        -> report it to the project, with the file of --save: from such words a load decides that --schema-name names no schema
    missing column: no known reason is read from these words: ERROR: column "missing" is unheard of
        -> report it to the project, with the file of --save: from such words a load decides that the table was changed
    already exists: no known reason is read from these words: ERROR: relation "refused" is known
        -> report it to the project, with the file of --save: from such words a load decides that another load made the table
    wide already: no known reason is read from these words: ERROR: cannot alter column "free" of relation "loader_doctor_#.refused", it is
        -> report it to the project, with the file of --save: from such words a load decides that another load widened the column
    held by a view: no known reason is read from these words: ERROR: cannot alter type of a column in use
      Detail: rule _RETURN on view loader_doctor_#.refused_view depends on column "note"
        -> report it to the project, with the file of --save: from such words a load decides that a new view has to be dropped and made again
    cancelled: no known reason is read from these words: ERROR: Query (#) cancelled somehow
        -> report it to the project, with the file of --save: from such words a load decides that a statement took too long
    permission denied: no known reason is read from these words: ERROR: not so for relation pg_shadow
        -> report it to the project, with the file of --save: from such words a load decides that the user lacks a right
    "#);
}

/// Examinations in which a value of the tried loads comes back as another.
#[test]
fn loads_that_end_otherwise() {
    let place = Place::new("doctor-other-rows");
    let mut text = String::new();
    for (from, by) in [
        ("\"first\"", "\"thirst\""),
        ("\"changed\"", "\"second\""),
        ("3000000000", "2147483647"),
        ("-32768", "-32767"),
        ("{\"longValue\":4}", "{\"longValue\":7}"),
    ] {
        let proxy = Proxy::replacing(&endpoints().redshift_data, from, by);
        let findings = with_data_api(&place, &proxy, &["--only", "loads"]);
        text += &format!("{from} as {by}\n{}\n", findings.failed());
    }
    insta::assert_snapshot!(text, @r#"
    "first" as "thirst"
    first load: the table has ["1|thirst|10", "2|second|20"] and not ["1|first|10", "2|second|20"]
        -> report it to the project, with the file of --save

    "changed" as "second"
    merge: the table has ["1|first|10", "2|second|21", "3|third|30"] and not ["1|first|10", "2|changed|21", "3|third|30"]
        -> report it to the project, with the file of --save

    3000000000 as 2147483647
    evolution under a view: the table has ["1|10", "2|21", "3|30", "4|40", "5|2147483647"] and not ["1|10", "2|21", "3|30", "4|40", "5|3000000000"]
        -> report it to the project, with the file of --save

    -32768 as -32767
    copy of parquet, snappy: a SMALLINT was "-32768" and arrived as "-32767"; alone, these fail: SMALLINT (a SMALLINT was "-32768" and arrived as "-32767")
        -> report it to the project, with the file of --save

    {"longValue":4} as {"longValue":7}
    load in two transactions: the table has ["1", "2", "3", "7"] and not ["1", "2", "3", "4"]
        -> report it to the project, with the file of --save
    "#);
}

#[test]
fn a_catalog_that_spells_types_otherwise() {
    let place = Place::new("doctor-other-spelling");
    let proxy = Proxy::replacing(&endpoints().redshift_data, "\"numeric(", "\"decimal(");
    let findings = with_data_api(&place, &proxy, &["--only", "loads"]);
    insta::assert_snapshot!(findings.failed(), @r#"
    names of types: the catalog spells DECIMAL(9,0) as "decimal(9,0)", DECIMAL(38,18) as "decimal(38,18)", and a load does not know them again in a column that it made, added or widened
        -> report it to the project, with the file of --save; columns that are there before a load, and stay as they are, are not concerned
    copy of parquet, snappy: the file does not fit loader_doctor_#.types_snappy_all: column `c_decimal_1` is DECIMAL(1,0) in the table, the file has Utf8; column `c_decimal_9` is DECIMAL(9,2) in the table, the file has Utf8; column `c_decimal_10` is DECIMAL(10,0) in the table, the file has Utf8; column `c_decimal_18` is DECIMAL(18,6) in the table, the file has Utf8; column `c_decimal_19` is DECIMAL(19,4) in the table, the file has Utf8; column `c_decimal_38` is DECIMAL(38,18) in the table, the file has Utf8; change the table or the file so that they agree
        -> correct what the message names
    "#);
}

/// The ways of writing parts that are not the user's own are told when they fail; the user's own
/// fails.
#[test]
fn parts_that_arrive_otherwise_in_every_format() {
    let place = Place::new("doctor-other-formats");
    let mut text = String::new();
    for own in [
        &["--parquet-compression", "zstd"][..],
        &["--parquet-compression", "gzip"],
        &["--staging-format", "csv"],
    ] {
        let proxy = Proxy::replacing(&endpoints().redshift_data, "-32768", "-32767");
        let findings = with_data_api(&place, &proxy, &[&["--only", "loads"], own].concat());
        let other = here(&findings, "copy of parquet, snappy");
        text += &format!("{}{other}\n", findings.failed());
    }
    insta::assert_snapshot!(text, @r#"
    copy of parquet, zstd: a SMALLINT was "-32768" and arrived as "-32767"; alone, these fail: SMALLINT (a SMALLINT was "-32768" and arrived as "-32767")
        -> report it to the project, with the file of --save
    your loads do not use it: a SMALLINT was "-32768" and arrived as "-32767"
    copy of parquet, gzip: a SMALLINT was "-32768" and arrived as "-32767"; alone, these fail: SMALLINT (a SMALLINT was "-32768" and arrived as "-32767")
        -> report it to the project, with the file of --save
    your loads do not use it: a SMALLINT was "-32768" and arrived as "-32767"
    copy of csv: a SMALLINT was "-32768" and arrived as "-32767"; alone, these fail: SMALLINT (a SMALLINT was "-32768" and arrived as "-32767")
        -> report it to the project, with the file of --save
    your loads do not use it: a SMALLINT was "-32768" and arrived as "-32767"
    "#);
}

#[test]
fn a_file_that_is_loaded_twice_and_a_lock_that_holds_nobody_off() {
    let place = Place::new("doctor-twice");
    let api = &endpoints().redshift_data;
    let rows_of_orders = r#"\"orders\" ORDER BY \"id\""#;
    let twice = answering(api, rows_of_orders, 1, ["\"first\"", "\"twice\""]);
    let findings = with_data_api(&place, &twice, &["--only", "loads"]);
    insta::assert_snapshot!(findings.failed(), @r#"
    the same file again: the table has ["1|twice|10", "2|second|20"] and not ["1|first|10", "2|second|20"]
        -> report it to the project, with the file of --save
    "#);
    let rows_of_key = r#"\"met_with_lock\" WHERE id = 7"#;
    let one_more = ["{\"longValue\":1}", "{\"longValue\":2}"];
    let doubled = answering(api, rows_of_key, 0, one_more);
    let findings = with_data_api(&place, &doubled, &["--only", "loads"]);
    insta::assert_snapshot!(findings.failed(), @"
    foreign writer, with --lock-target: a key that both write has 2 rows afterwards
        -> let no other program merge into a target while loads run, and report it to the project, with the file of --save
    ");
}

/// What is told is neither right nor wrong, but it is what the warehouse says.
#[test]
fn another_isolation_level_and_other_defaults() {
    let place = Place::new("doctor-other-defaults");
    let mut text = String::new();
    for (from, by) in [("Snapshot Isolation", "Serializable"), ("Snapshot Isolation", "?")] {
        let proxy = Proxy::replacing(&endpoints().redshift_data, from, by);
        let findings = with_data_api(&place, &proxy, &["--only", "warehouse"]);
        assert_eq!(findings.failed(), "");
        text += &format!("{}\n", here(&findings, "isolation level"));
    }
    let user = format!("{}_u", place.schema());
    place.execute(&format!("CREATE USER {user} PASSWORD DISABLE"));
    place.execute(&format!("ALTER USER {user} SET timezone TO 'Asia/Tokyo'"));
    let as_user = ["--cluster-identifier", "c", "--db-user", &user, "--only", "warehouse"];
    let findings = Findings::of(run(&mut doctor(&place, &as_user)));
    text += &here(&findings, "defaults of the user");
    insta::assert_snapshot!(text, @"
    SERIALIZABLE: Redshift ends one of two transactions that meet (error 1023), and the loader then repeats its merge, not its COPY
    unknown: the warehouse names no level that is known
    timezone is Asia/Tokyo (the loader sets UTC where it writes)
    ");
}
