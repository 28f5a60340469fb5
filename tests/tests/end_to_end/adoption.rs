//! A table that the Glue job made is taken over: its keys are spelt as the job spelt them, and no
//! row of it is doubled.

use loader_tests::{Place, Report};

const KEYS: [&str; 2] = ["--upsert-keys", "code,line"];
const MATCHED: [&str; 3] = ["--upsert-keys", "code,line", "--keys-as-glue"];
const OTHERS: [&str; 3] = ["--upsert-keys", "code,line", "--keys-as-glue=false"];

/// A table with the keys that a job has stored for `keys_of_file`, and some that it has not.
fn adopted(name: &str) -> Place {
    let place = Place::new(name);
    place.execute(
        "CREATE TABLE {s}.t (code VARCHAR(256) NOT NULL, line INTEGER NOT NULL, n INTEGER, run_date \
         TIMESTAMP, file_name VARCHAR(256))",
    );
    let stored = [
        "'A1', 1, 1",
        "'7', 1, 2",
        "'1.500000000000000000', 1, 3",
        "'2.0', 1, 4",
        r#"'"say ""hi"""', 1, 5"#,
        r"'C:\\d', 1, 6",
        "'0', 1, 7",
        "'8', 1, 8",
        // Not as the job would have spelt `12`, and another line than the file's.
        "'0012', 1, 9",
        "'9', 2, 10",
    ];
    let rows = stored.map(|row| format!("({row}, NULL, 'glue.csv')")).join(", ");
    place.execute(&format!("INSERT INTO {{s}}.t VALUES {rows}"));
    place
}

const KEYS_OF_FILE: &str = r#"code,line,n
" A1",1,10
007,1,20
1.50,1,30
2.00,1,40
"say ""hi""",1,50
"C:\\d",1,60
000,1,70
12,1,80
009,1,90
"#;

fn load(place: &Place, file: &str, content: &str, more: &[&str]) -> Report {
    place.put(file, content);
    place.load(file, "t", more)
}

/// The table's keys with their values.
fn keys(place: &Place) -> Vec<String> {
    let rows =
        place.select("SELECT code || '|' || line || '|' || n AS k FROM {s}.t ORDER BY n, code");
    rows.iter().filter_map(|row| Some(row["k"].as_str()?.to_owned())).collect()
}

#[test]
fn keys_that_the_job_spelt_otherwise_are_refused_until_it_is_said_what_they_are() {
    let place = adopted("adoption-story");
    let before = keys(&place);
    let refused = load(&place, "a.csv", KEYS_OF_FILE, &KEYS);
    assert_eq!((refused.ended.code, keys(&place)), (5, before), "{}", refused.error());
    insta::assert_snapshot!(refused.error(), @r#"7 keys (code) match no row of adoption_story.t as they stand, but rows whose keys the Glue job spelt otherwise: ` A1` as `A1`, `000` as `0`, `007` as `7`, …; loaded as they are, they would double these rows; give --keys-as-glue, which matches these rows and gives their keys the file's spelling, or --keys-as-glue=false if they are other keys; or repair those that have their quotes (not the other ones): UPDATE "adoption_story"."t" SET "code" = REPLACE(SUBSTRING("code", 2, LENGTH("code") - 2), '""', '"') WHERE "code" ~ '^".*"".*"$'"#);
    // What makes the loader's tables and the fence, the catalog twice, the load, the question for
    // examples, and the audit row.
    assert_eq!(refused.data_api_calls("BatchExecuteStatement"), 7);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_loads"), "0");

    let matched = load(&place, "a.csv", KEYS_OF_FILE, &MATCHED).succeeded();
    assert_eq!((matched.rows("updated"), matched.rows("inserted")), (7, 2));
    insta::assert_snapshot!(keys(&place).join("\n"), @r#"
    8|1|8
    0012|1|9
     A1|1|10
    9|2|10
    007|1|20
    1.50|1|30
    2.00|1|40
    say "hi"|1|50
    C:\\d|1|60
    000|1|70
    12|1|80
    009|1|90
    "#);

    // The key of another file still has the job's spelling, so the table is asked again.
    let forgotten = load(&place, "b.csv", "code,line,n\n008,1,81\n007,1,21\n", &KEYS);
    assert_eq!(forgotten.ended.code, 5, "{}", forgotten.error());
    let become_one = load(&place, "c.csv", "code,line,n\n8,1,1\n008,1,2\n", &MATCHED);
    assert_eq!(become_one.ended.code, 5, "{}", become_one.error());
    insta::assert_snapshot!(become_one.error(), @"the file has several keys (code) that the Glue job would have spelt alike, as `007` and `7`, so --keys-as-glue cannot tell whose rows of adoption_story.t are whose; give the stored keys their spelling by hand, and load with --keys-as-glue=false");

    let others = load(&place, "b.csv", "code,line,n\n008,1,81\n007,1,21\n", &OTHERS).succeeded();
    assert_eq!((others.rows("updated"), others.rows("inserted")), (1, 1));
    // A table that was merged by keys as they stand is not asked any more.
    let known = load(&place, "d.csv", "code,line,n\n0009,2,1\n", &KEYS).succeeded();
    assert_eq!(known.rows("inserted"), 1);
    assert_eq!(known.data_api_calls("BatchExecuteStatement"), 2);
}

#[test]
fn the_repair_that_a_refusal_prints_makes_the_load_go_through() {
    let place = Place::new("adoption-repair");
    place.execute("CREATE TABLE {s}.t (code VARCHAR(256), n INTEGER)");
    place.execute(r#"INSERT INTO {s}.t VALUES ('"say ""hi"""', 1), ('"plain"', 2)"#);
    let file = "code,n\n\"say \"\"hi\"\"\",10\n";
    let keys = ["--upsert-keys", "code"];
    let refused = load(&place, "a.csv", file, &keys);
    assert_eq!(refused.ended.code, 5, "{}", refused.error());
    let (_, repair) = refused.error().split_once("their quotes: ").expect("a repair is printed");
    assert!(repair.starts_with("UPDATE"), "{repair}");
    place.execute(repair);
    assert_eq!(load(&place, "a.csv", file, &keys).succeeded().rows("updated"), 1);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "2");
}

#[test]
fn a_plan_says_that_keys_will_be_looked_for() {
    let place = adopted("adoption-plan");
    place.put("a.csv", KEYS_OF_FILE);
    let notices = |more: &[&str]| {
        let planned = place.plan("a.csv", "t", more);
        assert_eq!(planned.ended.code, 0, "{}", planned.error());
        planned.json["notices"].to_string()
    };
    assert!(notices(&KEYS).contains("text keys (code)"), "{}", notices(&KEYS));
    for more in [&MATCHED[..], &OTHERS[..], &["--upsert-keys", "line"], &[]] {
        assert!(!notices(more).contains("text keys"), "{}", notices(more));
    }
}

#[test]
fn a_large_load_is_asked_too() {
    let place = adopted("adoption-large");
    let keys = [&KEYS[..], &["--split-load-above", "0"]].concat();
    let refused = load(&place, "a.csv", KEYS_OF_FILE, &keys);
    assert_eq!(refused.ended.code, 5);
    assert!(refused.error().contains("`007` as `7`"), "{}", refused.error());
    let matched = [&MATCHED[..], &["--split-load-above", "0"]].concat();
    assert_eq!(load(&place, "a.csv", KEYS_OF_FILE, &matched).succeeded().rows("updated"), 7);
}

#[test]
fn a_table_that_the_loader_made_is_not_refused_its_own_keys() {
    let place = Place::new("adoption-own");
    let file = "code,line,n\n007,1,1\n\" A1\",1,2\n1.50,1,3\n3.1,1,4\n3.10,1,5\n";
    let _ = load(&place, "a.csv", file, &["--strategy", "append"]).succeeded();
    assert_eq!(load(&place, "b.csv", file, &KEYS).succeeded().rows("updated"), 5);
}

/// The audit rows of a table that a person made.
fn audited(name: &str, ddl: &str, wanted: &str) -> (Vec<String>, String) {
    let place = Place::new(name);
    place.execute(&format!("CREATE TABLE {{s}}.job_sts ({ddl})"));
    place.put("a.csv", "id,n\n1,10\n");
    let planned = place.plan("a.csv", "t", &[]);
    assert_eq!(planned.ended.code, 0, "{}", planned.error());
    let loaded = place.load("a.csv", "t", &[]).succeeded();
    let notices = |report: &Report| {
        let notices = report.json["notices"].as_array().into_iter().flatten();
        let of_audit =
            notices.filter_map(|notice| notice.as_str()).filter(|n| n.contains("job_sts"));
        of_audit.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(notices(&planned), notices(&loaded));
    place.put("b.csv", "id,n\n1,ä,\n");
    assert_eq!(place.load("b.csv", "t", &[]).ended.code, 3);
    let rows = place.select(&format!("SELECT {wanted} AS said FROM {{s}}.job_sts ORDER BY 1 DESC"));
    let rows = rows.iter().filter_map(|row| Some(row["said"].as_str()?.to_owned()));
    (rows.collect(), notices(&loaded))
}

#[test]
fn an_audit_table_with_other_types_and_short_texts_has_a_row_of_each_run() {
    let ddl = "run_id INTEGER NOT NULL, job_id VARCHAR(3), run_start_ts VARCHAR(30), run_end_ts DATE, \
               source_filename VARCHAR(256), target_table_name VARCHAR(256), records_read SMALLINT, \
               records_updated BIGINT, records_inserted VARCHAR(10), status CHAR(10), error_message \
               VARCHAR(50) NOT NULL";
    let said = "status || '|' || job_id || '|' || records_inserted || '|' || records_read || '|' || \
                error_message || '|' || (CASE WHEN run_id > 1700000000 THEN 'seconds' END)";
    let (rows, notice) = audited("adoption-audit-types", ddl, said);
    insta::assert_snapshot!(rows.join("\n"), @"
    SUCCESS|loa|1|1|NULL|seconds
    FAILED|loa|0|0|record 1, line 2, byte 5: the row has 3 fields, bu|seconds
    ");
    insta::assert_snapshot!(notice, @"the audit table adoption_audit_types.job_sts has another shape than the loader makes it, and is used as far as it goes: run_id is integer, and gets the second of the run's start; job_id takes 3 bytes, and longer texts are cut; run_start_ts is character varying(30), and gets as much as that takes; run_end_ts is date, and gets as much as that takes; records_read is smallint, and gets as much as that takes; status takes 10 bytes, and longer texts are cut; error_message takes 50 bytes, and longer texts are cut");
}

#[test]
fn an_audit_table_with_other_columns_has_a_row_of_each_run() {
    let ddl = "run_id BIGINT, status VARCHAR(50), error_message VARCHAR(MAX), batch VARCHAR(9) NOT \
               NULL, place INTEGER NOT NULL, region VARCHAR(9) DEFAULT 'eu' NOT NULL, who VARCHAR(9)";
    let said = "status || '|' || region || '|' || batch || '|' || place";
    let (rows, notice) = audited("adoption-audit-columns", ddl, said);
    insta::assert_snapshot!(rows.join("\n"), @"
    SUCCESS|eu||0
    FAILED|eu||0
    ");
    insta::assert_snapshot!(notice, @"the audit table adoption_audit_columns.job_sts has another shape than the loader makes it, and is used as far as it goes: job_id is missing; run_start_ts is missing; run_end_ts is missing; source_filename is missing; target_table_name is missing; records_read is missing; records_updated is missing; records_inserted is missing; batch is NOT NULL, and gets ''; place is NOT NULL, and gets 0");
}

#[test]
fn an_audit_table_that_takes_no_row_fails_no_load() {
    let ddl = "run_id BIGINT, status VARCHAR(50), tags SUPER NOT NULL";
    let (rows, notice) = audited("adoption-audit-none", ddl, "status");
    assert_eq!(rows.len(), 0);
    assert!(notice.contains("tags is NOT NULL, so that no row gets in"), "{notice}");
}
