//! Many small files of a table as one load: what they come to is what loads of one after another
//! come to.

use std::io::{BufRead, BufReader};

use loader_tests::Place;
use serde_json::Value;

use super::{Project, files};

/// How many runs there were.
fn runs(report: &Value) -> usize {
    let runs = report["runs"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut ids: Vec<&str> = runs.iter().filter_map(|run| run["run_id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

#[test]
fn small_files_of_one_shape_are_one_load() {
    let place = Place::new("together-one");
    let table = "[tables.t]\nfiles = '*.csv'\nupsert-keys = ['id']\nfile-order = 'name'\n";
    let project = Project::new(&place, table);
    for n in 0..40 {
        place.put(&format!("f{n:02}.csv"), format!("id,n\n{n},{n}\n{},{n}\n7,{n}\n", n + 1));
    }
    let report = project.report(&["run"]);
    assert_eq!((runs(&report), &report["counts"]["loaded"]), (1, &40.into()), "{report}");
    let rows = |n: usize| report["runs"][n]["rows"].clone();
    assert_eq!((&rows(0)["inserted"], &rows(0)["updated"]), (&3.into(), &0.into()));
    assert_eq!((&rows(1)["inserted"], &rows(1)["updated"]), (&1.into(), &2.into()));
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "41");
    assert_eq!(place.value("SELECT n FROM {s}.t WHERE id = 7"), "39");
    assert_eq!(place.value("SELECT n FROM {s}.t WHERE id = 20"), "20");
    for table in ["loader_loads", "job_sts"] {
        assert_eq!(place.value(&format!("SELECT COUNT(*) FROM {{s}}.{table}")), "40", "{table}");
    }
    // Two files have key 7 twice.
    let sources = "SELECT COUNT(DISTINCT source_filename) FROM {s}.job_sts WHERE records_read = 3 \
                   AND records_inserted + records_updated = 3";
    assert_eq!(place.value(sources), "38");
    let keys = place.keys();
    let archived = keys.iter().filter(|key| key.starts_with("data/archive/")).count();
    assert_eq!(archived, 40, "{keys:?}");
    assert!(!keys.iter().any(|key| key.contains("staging") || key.starts_with("data/in/")));

    // The same files once more are known, one by one, and are archived.
    for n in 0..3 {
        place.put(&format!("f{n:02}.csv"), format!("id,n\n{n},{n}\n{},{n}\n7,{n}\n", n + 1));
    }
    place.put("f99.csv", "id,n\n99,1\n");
    let again = project.report(&["run"]);
    let expected = [
        "f00.csv t already_loaded 0",
        "f01.csv t already_loaded 0",
        "f02.csv t already_loaded 0",
        "f99.csv t loaded 0",
    ];
    assert_eq!(files(&again), expected);
}

#[test]
fn a_file_that_is_replaced_while_it_is_loaded_with_others_is_loaded_once_more() {
    let place = Place::new("together-replaced");
    let table = "[tables.t]\nfiles = '*.csv'\nupsert-keys = ['id']\nfile-order = 'name'\n";
    let project = Project::new(&place, table);
    place.put("a.csv", "id,n\n-1,1\n");
    // Long enough for something to happen meanwhile, and small enough to be loaded with others.
    let rows: String = (0..400_000).map(|id| format!("{id},{id}\n")).collect();
    place.put("b.csv", format!("id,n\n{rows}"));
    place.put("c.csv", "id,n\n-3,3\n");
    let mut child = loader_tests::start(project.command(&["run"]).args(["--report", "json"]));
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let mut line = String::new();
    while !line.contains("\"step\":\"catalog\"") {
        line.clear();
        assert_ne!(log.read_line(&mut line).expect("a line"), 0, "the run ended early");
    }
    place.put("a.csv", "id,n\n-1,100\n");
    log.lines().for_each(drop);
    let ended = child.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&ended.stdout).expect("a report");
    assert_eq!((runs(&report), &report["counts"]["loaded"]), (1, &3.into()), "{report}");
    assert_eq!(place.value("SELECT n FROM {s}.t WHERE id = -1"), "1");
    let pending = || {
        let keys = place.keys();
        keys.into_iter().filter(|key| key.starts_with("data/in/")).collect::<Vec<_>>()
    };
    assert_eq!(pending(), ["data/in/a.csv"]);
    assert_eq!(files(&project.report(&["run"])), ["a.csv t loaded 0"]);
    assert_eq!(place.value("SELECT n FROM {s}.t WHERE id = -1"), "100");
    assert_eq!(pending(), [""; 0]);
    let archived = place.keys().iter().filter(|key| key.starts_with("data/archive/")).count();
    assert_eq!(archived, 3);
}

#[test]
fn files_that_are_refused_are_taken_out_and_the_others_go_on() {
    let place = Place::new("together-refused");
    let table = "[tables.t]\nfiles = '*.csv'\nfile-order = 'name'\n";
    let project = Project::new(&place, table);
    for (name, text) in [
        ("a1", "id,n\n1,1\n"),
        ("a2", "id,n\n2,2\n"),
        ("a3", "id,n\n3,3,3\n"),
        ("a4", "id,n\n4,4\n"),
        ("a5", "id,n\n5,5\n"),
        ("b1", "id,more,n\n6,x,6\n"),
        ("b2", "id,more,n\n7,y,7\n"),
        ("b3", "id,n\n8,8\n"),
        ("b4", ""),
    ] {
        place.put(&format!("{name}.csv"), text);
    }
    let report = project.report(&["run"]);
    let expected = [
        "a1.csv t loaded 0",
        "a2.csv t loaded 0",
        "a3.csv t failed 3",
        "a4.csv t loaded 0",
        "a5.csv t loaded 0",
        "b1.csv t loaded 0",
        "b2.csv t loaded 0",
        "b3.csv t loaded 0",
        "b4.csv t failed 3",
    ];
    assert_eq!(files(&report), expected, "{report}");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "7");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t WHERE more IN ('x', 'y')"), "2");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_loads"), "7");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'FAILED'"), "2");
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Files with few keys, so that many rows meet; some lack a column, some bring one, and some have a
/// row that cannot be read.
fn random_files(numbers: &mut Numbers) -> Vec<String> {
    let mut shape = 0;
    let file = |_| {
        if numbers.below(3) == 0 {
            shape = numbers.below(3);
        }
        let mut text = ["id,n,x\n", "id,n\n", "id,n,x,y\n"][shape as usize].to_owned();
        for _ in 0..numbers.below(5) {
            // One key in five is NULL.
            let id = ["", "0", "1", "2", "3"][numbers.below(5) as usize];
            let n = numbers.below(100);
            text += &match shape {
                0 => format!("{id},{n},{}\n", numbers.below(100)),
                1 => format!("{id},{n}\n"),
                _ => format!("{id},{n},{},{}\n", numbers.below(100), numbers.below(100)),
            };
        }
        if numbers.below(8) == 0 {
            text += "1\n";
        }
        text
    };
    (0..12).map(file).collect()
}

/// What the table and the audit table say in the end.
fn says(place: &Place) -> Vec<String> {
    let rows = place.select("SELECT id, n, x, y FROM {s}.t ORDER BY id, n, x, y");
    let audit = "SELECT source_filename, status, records_read, records_inserted, records_updated FROM \
                 {s}.job_sts ORDER BY source_filename, status, records_read";
    let audit = place.select(audit);
    let loads = place.select("SELECT source_uri, rows FROM {s}.loader_loads ORDER BY source_uri");
    let text = |row: &Value| row.to_string().replace(&place.name, "BUCKET");
    rows.iter().chain(&audit).chain(&loads).map(text).collect()
}

#[test]
fn loads_of_several_files_come_to_what_loads_of_single_files_come_to() {
    let mut numbers = Numbers(7);
    for (case, settings) in [
        "strategy = 'append'\nmax-rejects = 1",
        "strategy = 'replace'",
        "upsert-keys = ['id']\nmax-rejects = 1",
        "upsert-keys = ['id']\nduplicates = 'first'",
        "upsert-keys = ['id']\nduplicates = 'keep'\nmissing-columns = 'null'",
        "upsert-keys = ['id']\nduplicates = 'error'",
        "upsert-keys = ['id']\nmissing-columns = 'default'",
        "upsert-keys = ['id']\nstrategy = 'replace'",
        "upsert-keys = ['id']\nschema-policy = 'freeze'\non-refusal = 'continue'",
        "upsert-keys = ['id']\nschema-policy = 'evolve'",
    ]
    .into_iter()
    .enumerate()
    {
        let mut texts = random_files(&mut numbers);
        // The last ones bring the column, whatever came before them.
        texts.extend(["id,n,x,y\n1,1,1,1\n".to_owned(), "id,n,x,y\n2,2,2,2\n".to_owned()]);
        let places = ["one", "all"].map(|how| Place::new(&format!("together-{how}-{case}")));
        let table =
            format!("[tables.t]\nfiles = '*'\nplugins = []\nfile-order = 'name'\n{settings}\n");
        let [one, all] = places.each_ref().map(|place| Project::new(place, &table));
        for place in &places {
            place.execute("CREATE TABLE {s}.t (id INTEGER, n INTEGER, x INTEGER)");
            if !settings.contains("schema-policy") {
                place.execute("ALTER TABLE {s}.t ADD COLUMN y INTEGER");
            }
            for (n, text) in texts.iter().enumerate() {
                place.put(&format!("f{n:02}"), text);
            }
        }
        let report = all.report(&["run"]);
        for n in 0..texts.len() {
            one.report(&["run", "t", &format!("data/in/f{n:02}")]);
        }
        if settings.contains("freeze") {
            places.iter().for_each(|place| place.execute("ALTER TABLE {s}.t ADD COLUMN y INTEGER"));
        }
        assert_eq!(says(&places[1]), says(&places[0]), "{settings}: {texts:#?}\n{report:#}");
        assert!(runs(&report) < texts.len(), "{settings}: some were loaded together");
    }
}

#[test]
fn a_new_table_gets_its_types_from_all_files() {
    let place = Place::new("together-types");
    let project = Project::new(&place, "[tables.t]\nfiles = '*'\nfile-order = 'name'\n");
    for (name, text) in [("a", "n,t\n1,7\n"), ("b", "n,t\n2.25,8\n"), ("c", "n,t\n3,x\n")] {
        place.put(name, text);
    }
    let report = project.report(&["run"]);
    assert_eq!((runs(&report), &report["counts"]["loaded"]), (1, &3.into()), "{report}");
    let rows = place.select("SELECT CAST(n AS VARCHAR(9)) AS n, t FROM {s}.t ORDER BY t");
    let rows: Vec<String> = rows.iter().map(|row| format!("{} {}", row["n"], row["t"])).collect();
    assert_eq!(rows, [r#""1.0000000" "7""#, r#""2.2500000" "8""#, r#""3.0000000" "x""#]);
}
