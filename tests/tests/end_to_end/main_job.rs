//! The main job on real data: a cut of nycflights13 (CC0).

use loader_tests::Place;

const FLIGHTS: &str = include_str!("../../data/flights.csv");
const KEYS: &str = r#"["year","month","day","carrier","flight","origin"]"#;

fn arguments() -> [&'static str; 4] {
    ["--upsert_keys", KEYS, "--null-value", "NA"]
}

/// The first rows of the file with other arrival delays, one of them twice, and one flight that is
/// new.
fn changed() -> String {
    let mut lines: Vec<String> = FLIGHTS.lines().take(11).map(str::to_owned).collect();
    for line in lines.iter_mut().skip(1) {
        let mut fields: Vec<&str> = line.split(',').collect();
        fields[8] = "999";
        *line = fields.join(",");
    }
    let twice = lines[1].replace(",999,", ",1000,");
    let new = lines[2].replace("2013,1,1", "2014,1,1");
    lines.extend([twice, new]);
    lines.join("\n")
}

#[test]
fn loads_updates_and_recognises_a_file() {
    let place = Place::new("main-job");
    place.put("flights.csv", FLIGHTS);
    let first = place.load("flights.csv", "flights", &arguments()).succeeded();
    assert_eq!(
        [first.rows("read"), first.rows("inserted"), first.rows("updated")],
        [3000, 3000, 0]
    );
    let types = "SELECT data_type FROM svv_columns WHERE table_schema = '{s}' AND table_name = \
                 'flights' ORDER BY ordinal_position";
    let types: Vec<String> = place
        .select(types)
        .iter()
        .map(|row| row["data_type"].to_string().replace('"', ""))
        .collect();
    let (text, time) = ("character varying", "timestamp without time zone");
    let expected = [
        &["integer"; 9][..],
        &[text, "integer", text, text, text],
        &["integer"; 4],
        &[time, time, text],
    ]
    .concat();
    assert_eq!(types, expected);
    assert_eq!(
        place.value("SELECT CAST(MIN(time_hour) AS VARCHAR(30)) FROM {s}.flights"),
        "2013-01-01 10:00:00"
    );

    place.put("flights_2.csv", changed());
    let second = place.load("flights_2.csv", "flights", &arguments()).succeeded();
    let counts =
        ["read", "staged", "inserted", "updated", "duplicates"].map(|name| second.rows(name));
    assert_eq!(counts, [12, 12, 1, 10, 1]);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.flights"), "3001");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.flights WHERE arr_delay = 999"), "10");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.flights WHERE arr_delay = 1000"), "1");
    assert_eq!(
        place.value("SELECT COUNT(*) FROM {s}.flights WHERE file_name = 'flights_2.csv'"),
        "11"
    );

    place.put("flights.csv", FLIGHTS);
    let again = place.load("flights.csv", "flights", &arguments());
    assert_eq!((again.ended.code, again.status()), (0, "already_loaded"));
    // It is archived as what it is: the object that is there.
    let archived = place.keys().into_iter().filter(|key| key.contains("archive")).count();
    assert_eq!(archived, 2, "{:?}", place.keys());
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.flights WHERE arr_delay = 999"), "10");

    let forced = place.load("flights.csv", "flights", &[&arguments()[..], &["--force"]].concat());
    assert_ne!(forced.ended.code, 0, "the file was archived, so there is nothing to force");
    place.put("flights.csv", FLIGHTS);
    let forced = place
        .load("flights.csv", "flights", &[&arguments()[..], &["--force"]].concat())
        .succeeded();
    assert_eq!([forced.rows("inserted"), forced.rows("updated")], [0, 3000]);

    let audit = place.select(
        "SELECT source_filename, records_read, records_inserted, \
                              records_updated, error_message FROM {s}.job_sts WHERE status = \
                              'SUCCESS' ORDER BY run_id",
    );
    let audit: Vec<String> = audit.iter().map(ToString::to_string).collect();
    assert_eq!(
        audit,
        [
            r#"{"source_filename":"flights.csv","records_read":3000,"records_inserted":3000,"records_updated":0,"error_message":null}"#,
            r#"{"source_filename":"flights_2.csv","records_read":12,"records_inserted":1,"records_updated":10,"error_message":null}"#,
            r#"{"source_filename":"flights.csv","records_read":3000,"records_inserted":0,"records_updated":3000,"error_message":null}"#,
        ]
    );
    assert!(place.keys().iter().all(|key| !key.contains("staging")), "{:?}", place.keys());
}

#[test]
fn a_load_without_changes_takes_two_executions() {
    let place = Place::new("two-executions");
    place.put("a.csv", "id,amount\n1,0.5\n");
    let _ = place.load("a.csv", "t", &["--upsert-keys", "id"]).succeeded();
    place.put("b.csv", "id,amount\n1,0.25\n2,7.5\n");
    let second = place.load("b.csv", "t", &["--upsert-keys", "id"]).succeeded();
    assert_eq!(second.data_api_calls("BatchExecuteStatement"), 2);
    assert_eq!(second.data_api_calls("ExecuteStatement"), 0);

    // A large load fills its staging table in a transaction of its own.
    place.put("third.csv", "id,amount\n3,2.5\n1,9\n");
    let third = place
        .load("third.csv", "t", &["--upsert-keys", "id", "--split-load-above", "0"])
        .succeeded();
    assert_eq!(third.data_api_calls("BatchExecuteStatement"), 3);
    assert_eq!((third.rows("inserted"), third.rows("updated")), (1, 1));
}

#[test]
fn a_load_without_changes_takes_few_requests_of_s3() {
    let place = Place::new("few-requests");
    place.put("a.csv", "id,amount\n1,0.5\n");
    let _ = place.load("a.csv", "t", &["--upsert-keys", "id"]).succeeded();
    place.put("b.csv", "id,amount\n1,0.25\n2,7.5\n");
    let second = place.load("b.csv", "t", &["--upsert-keys", "id"]).succeeded();
    assert!(second.s3_calls() <= 8, "{}", second.json["calls"]);

    // A file that was loaded before is opened, and archived onto the copy that is there.
    place.put("b.csv", "id,amount\n1,0.25\n2,7.5\n");
    let again = place.load("b.csv", "t", &["--upsert-keys", "id"]);
    assert_eq!(again.status(), "already_loaded");
    assert_eq!(again.json["calls"]["s3"]["GetObject"], 1, "{}", again.json["calls"]);
    assert_eq!(again.json["calls"]["s3"]["ListObjectsV2"], 1, "{}", again.json["calls"]);
}

/// A load with the Glue job's own twelve arguments, as Glue passes them to its script, without a
/// word about plugins.
fn as_glue_starts_it(place: &Place, verb: &str, more: &[&str]) -> loader_tests::Report {
    let mut command = std::process::Command::new(loader_tests::program());
    let (schema, keys) = (place.schema(), r#"["customer_id"]"#);
    let secret = "arn:aws:secretsmanager:us-east-1:1:secret:s";
    command.env_remove("LOADER_PLUGINS").arg(verb);
    for (name, value) in [
        ("--job_id", "JOB001"),
        ("--job_name", "nightly"),
        ("--source_file_name", "customers.csv"),
        ("--target_table", "customers"),
        ("--upsert_keys", keys),
        ("--workgroup_name", "analytics"),
        ("--database", "dev"),
        ("--region", "us-east-1"),
        ("--secret_arn", secret),
        ("--iam_role", "arn:aws:iam::1:role/copy"),
        ("--schema_name", &schema),
        ("--src_bucket", &place.name),
    ] {
        command.arg(name).arg(value);
    }
    command.args(more).args(["--report", "json", "--local"]).arg(loader_tests::world().dir());
    loader_tests::Report::of(loader_tests::run(&mut command))
}

#[test]
fn the_glue_jobs_own_arguments_do_what_the_job_did() {
    let place = Place::new("glue-arguments");
    place.put("customers.csv", "Customer ID,first name,Total Amount\n7,Ada,12.50\n");
    let for_glue = [
        "--TempDir",
        "s3://temp/x/",
        "--enable-metrics",
        "--job-bookmark-option=job-bookmark-disable",
        "--JOB_NAME",
        "nightly",
        "--enable-continuous-cloudwatch-log",
        "true",
    ];
    let said = "arguments that are for Glue itself were ignored: --TempDir, --enable-metrics, \
                --job-bookmark-option, --JOB_NAME, --enable-continuous-cloudwatch-log";
    let planned = as_glue_starts_it(&place, "plan", &for_glue);
    assert!(planned.json["notices"].to_string().contains(said), "{}", planned.json["notices"]);
    let loaded = as_glue_starts_it(&place, "run", &for_glue).succeeded();
    assert_eq!(loaded.json["notices"].to_string(), format!("[{said:?}]"));
    assert_eq!(place.value("SELECT job_id FROM {s}.job_sts"), "JOB001");
    let row = place.select("SELECT * FROM {s}.customers").remove(0);
    let columns: Vec<&String> = row.as_object().expect("a row").keys().collect();
    assert_eq!(columns, ["customer_id", "first_name", "total_amount", "run_date", "file_name"]);
    assert_eq!(row["total_amount"], "12.500000000000000000");
    assert_eq!(row["file_name"], "customers.csv");
}

#[test]
fn two_files_for_one_table_at_once_are_both_loaded() {
    let place = Place::new("at-once");
    let rows =
        |from: u32| (from..from + 500).map(|id| format!("{id},{id}.5\n")).collect::<String>();
    place.put("first.csv", "id,amount\n0,0.5\n");
    let _ = place.load("first.csv", "t", &["--upsert-keys", "id"]).succeeded();
    let files = [("one.csv", 1), ("two.csv", 301)];
    for (name, from) in files {
        place.put(name, format!("id,amount\n{}", rows(from)));
    }
    let running = files.map(|(name, _)| {
        let mut command = place.command("run", name, "t");
        loader_tests::start(
            command.args(["--upsert-keys", "id", "--plugins"]).arg(loader_tests::plugin("default")),
        )
    });
    for child in running {
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "801");
    assert_eq!(place.value("SELECT COUNT(DISTINCT id) FROM {s}.t"), "801");
}

#[test]
fn csv_staging_gives_the_same_table_as_parquet() {
    let place = Place::new("csv-staging");
    let content = "id,t,d,n,b,day,at\n1,\"\",0.1,,true,2025-01-19,2025-01-19T10:30:00.5Z\n2,,1e3,7,false,,\n3,\"a, \
                   \"\"b\"\"\nc\",,8,,1999-12-31,1999-12-31 23:59:59\n";
    for (file, table, format) in [("p.csv", "p", "parquet"), ("c.csv", "c", "csv")] {
        place.put(file, content);
        let _ = place
            .load(file, table, &["--staging-format", format, "--upsert-keys", "id"])
            .succeeded();
    }
    let rows = |table: &str| {
        place.select(&format!("SELECT id, t, d, n, b, day, at FROM {{s}}.{table} ORDER BY id"))
    };
    assert_eq!(rows("p"), rows("c"));
    assert_eq!(rows("p")[0]["t"], "");
    assert_eq!(rows("p")[1]["t"], serde_json::Value::Null);
    assert_eq!(rows("p")[2]["t"], "a, \"b\"\nc");
    assert_eq!(rows("p")[0]["at"], "2025-01-19 10:30:00.5");
}

#[test]
fn append_and_replace_do_what_they_say() {
    let place = Place::new("strategies");
    for (file, strategy, expected) in
        [("a.csv", "append", "2"), ("b.csv", "append", "4"), ("c.csv", "replace", "2")]
    {
        place.put(file, format!("id,file\n1,{file}\n2,{file}\n"));
        let _ = place.load(file, "t", &["--strategy", strategy]).succeeded();
        assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), expected, "{file}");
    }
}

#[test]
fn duplicates_are_decided_as_asked() {
    let place = Place::new("duplicates");
    for (how, expected) in [("last", "c"), ("first", "a")] {
        place.put(&format!("{how}.csv"), "id,v\n1,a\n1,b\n1,c\n");
        let report = place
            .load(&format!("{how}.csv"), how, &["--upsert-keys", "id", "--duplicates", how])
            .succeeded();
        assert_eq!(report.rows("duplicates"), 2);
        assert_eq!(place.value(&format!("SELECT v FROM {{s}}.{how}")), expected);
    }
    place.put("keep.csv", "id,v\n1,a\n1,b\n");
    let kept = place
        .load("keep.csv", "keep", &["--upsert-keys", "id", "--duplicates", "keep"])
        .succeeded();
    assert_eq!([kept.rows("inserted"), kept.rows("duplicates")], [2, 0]);
    place.put("error.csv", "id,v\n1,a\n1,b\n");
    let refused =
        place.load("error.csv", "error", &["--upsert-keys", "id", "--duplicates", "error"]);
    assert_eq!(refused.ended.code, 3);
    insta::assert_snapshot!(refused.error(), @"the file has several rows of one key (id: `1`), and --duplicates error refuses that; correct the file, or load one row of each key with --duplicates last or first (uri s3://duplicates/data/in/error.csv)");
    assert!(place.keys().contains(&"data/unprocessed/YYYY/MM/error.csv".to_owned()));
}

#[test]
fn files_of_one_name_never_replace_each_other() {
    let place = Place::new("one-name");
    for content in ["id\n1,2\n", "id\n3,4\n", "id\n5,6\n"] {
        place.put("x.csv", content);
        assert_eq!(place.load("x.csv", "t", &[]).ended.code, 3);
    }
    let aside = place
        .keys()
        .into_iter()
        .filter(|key| key.starts_with("data/unprocessed/"))
        .collect::<Vec<_>>();
    assert_eq!(aside.len(), 3, "{aside:?}");
}

#[test]
fn rejected_rows_are_kept_as_they_stand_in_the_file() {
    let place = Place::new("rejected");
    place.put("x.csv", "id,amount,note\n1,0.5,a\n2,NaN,\"two\nlines\"\n,3,no key\n4,1,b\n");
    let report =
        place.load("x.csv", "t", &["--upsert-keys", "id", "--max-rejects", "2"]).succeeded();
    assert_eq!([report.rows("read"), report.rows("staged"), report.rows("rejected")], [4, 2, 2]);
    let rejected = place.read("data/rejected/");
    let lines: Vec<&str> = rejected.lines().collect();
    assert_eq!(lines[0], "record,line,byte,plugin,code,column,message,row");
    assert!(lines[1].starts_with("2,3,23,default,not-finite,amount,"), "{rejected}");
    assert!(rejected.contains("\"2,NaN,\"\"two\nlines\"\"\""), "{rejected}");
    assert!(
        rejected.contains("3,5,41,loader,null-key,id,an upsert key is NULL,\",3,no key\""),
        "{rejected}"
    );
}

#[test]
fn rows_that_cannot_be_read_are_kept_byte_by_byte() {
    let place = Place::new("broken");
    place.put("x.csv", b"id,note\n1,a\n2,\xff\n3,\"open\n4,b\n5,\"c\"\n6,d\n7,e,f\n8,g\n");
    let report = place.load("x.csv", "t", &["--max-rejects", "40%"]).succeeded();
    assert_eq!([report.rows("read"), report.rows("staged"), report.rows("rejected")], [8, 5, 3]);
    let rejected = place.read_bytes("data/rejected/");
    let bad = b"2,3,12,loader,encoding,note,these bytes are not UTF-8,\"2,\xff\"";
    assert!(rejected.windows(bad.len()).any(|bytes| bytes == bad), "{}", rejected.escape_ascii());
    let rejected = String::from_utf8_lossy(&rejected);
    assert!(
        rejected.contains("\n3,4,16,loader,text-after-quote,note,\"in line 6, text"),
        "{rejected}"
    );
    assert!(
        rejected.contains("as the next 3 records fit from there on\",\"3,\"\"open\"\n"),
        "{rejected}"
    );
    assert!(rejected.contains("\n7,8,38,loader,too-many-fields,,"), "{rejected}");
}

#[test]
fn without_plugins_names_fold_as_redshift_folds_them() {
    let place = Place::new("no-plugin");
    for (file, content) in [("a.csv", "Id,Amount\n1,0.5\n"), ("b.csv", "ID,amount\n1,2\n2,0.25\n")]
    {
        place.put(file, content);
        let mut command = place.command("run", file, "t");
        let _ = loader_tests::Report::of(loader_tests::run(command.args(["--upsert-keys", "Id"])))
            .succeeded();
    }
    let rows: Vec<String> = place
        .select("SELECT id, amount FROM {s}.t ORDER BY id")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(rows, [r#"{"id":1,"amount":2.0}"#, r#"{"id":2,"amount":0.25}"#]);
    place.put("c.csv", "a,A\n1,2\n");
    let refused =
        loader_tests::Report::of(loader_tests::run(&mut place.command("run", "c.csv", "c")));
    assert_eq!(refused.ended.code, 3, "{}", refused.error());
}

#[test]
fn the_staged_half_leaves_the_warehouse_alone() {
    let place = Place::new("stage-only");
    place.put("x.csv", "id,amount\n1,0.5\n");
    let report =
        loader_tests::Report::of(loader_tests::run(&mut place.command("stage", "x.csv", "t")))
            .succeeded();
    assert_eq!([report.rows("staged"), report.rows("inserted")], [1, 0]);
    let keys = [
        "data/in/x.csv",
        "data/staging/t_x/#/manifest.json",
        "data/staging/t_x/#/part-00000.parquet",
    ];
    assert_eq!(place.keys(), keys);
    assert!(
        place.select("SELECT table_name FROM svv_columns WHERE table_schema = '{s}'").is_empty()
    );
}

#[test]
fn a_failed_run_has_its_row_also_where_the_user_may_make_no_tables() {
    let place = Place::new("no-tables");
    place.put("a.csv", "id\n1\n");
    let _ = place.load("a.csv", "t", &[]).succeeded();
    let user = format!("{}_eve", place.schema());
    for statement in [
        format!("CREATE USER {user} PASSWORD DISABLE"),
        format!("GRANT USAGE ON SCHEMA {{s}} TO {user}"),
        format!("GRANT SELECT, INSERT ON {{s}}.loader_loads TO {user}"),
        format!("GRANT SELECT, INSERT ON {{s}}.job_sts TO {user}"),
        format!("GRANT SELECT ON {{s}}.loader_dropped_views TO {user}"),
    ] {
        place.execute(&statement);
    }
    place.put("b.csv", "id\n1,2\n");
    let as_user = ["--cluster-identifier", "local", "--db-user", &user];
    let report = place.load("b.csv", "t", &as_user);
    assert_eq!(report.ended.code, 3, "{}", report.ended.stderr);
    let row = "SELECT status FROM {s}.job_sts WHERE source_filename = 'b.csv'";
    assert_eq!(place.value(row), "FAILED");
}
