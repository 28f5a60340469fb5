//! Files that are read in ranges from the store, and not copied to this machine's disk.

use loader_tests::{Place, Report};

/// Rows of more than the 4 MiB of a beginning that is kept, the last ones not as they should be.
fn rows(wrong: u64) -> String {
    let row = |id: u64| format!("{id},note {id},{id}.5\n");
    let rows = (0..400_000).map(row).collect::<String>();
    let wrong = (0..wrong).map(|id| format!("{id},\"two\nlines\",nonsense\n")).collect::<String>();
    format!("id,note,amount\n{rows}{wrong}")
}

fn load(place: &Place, table: &str, more: &[&str]) -> Report {
    let given = ["--column", "amount=decimal(12,2)", "--max-rejects", "2"];
    place.load("orders.csv", table, &[&given, more].concat())
}

#[test]
fn rejected_rows_far_behind_come_back_with_line_and_text() {
    let place = Place::new("ranges-rejects");
    let rejected = |report: &Report| {
        let uri = report.json["rejected_to"].as_str().unwrap_or_default().to_owned();
        place.read(&uri.split('/').skip(3).collect::<Vec<_>>().join("/"))
    };
    place.put("orders.csv", rows(2));
    let by_ranges = load(&place, "by_ranges", &["--split-bytes", "3000000"]).succeeded();
    assert_eq!((by_ranges.rows("read"), by_ranges.rows("rejected")), (400_002, 2));
    let of_ranges = rejected(&by_ranges);
    place.put("orders.csv", rows(2));
    let at_once = load(&place, "at_once", &[]).succeeded();
    assert_eq!(of_ranges, rejected(&at_once));
    assert!(of_ranges.contains("two\nlines"), "{of_ranges}");
}

#[test]
fn a_refusal_says_the_same_however_the_file_is_read() {
    let place = Place::new("ranges-refused");
    let refused = |more: &[&str]| {
        place.put("orders.csv", rows(4));
        let report = load(&place, "t", more);
        (report.ended.code, report.error().to_owned())
    };
    let by_ranges = refused(&["--split-bytes", "3000000"]);
    assert_eq!(by_ranges, refused(&[]));
    assert_eq!(by_ranges.0, 3, "{}", by_ranges.1);
    place.put("orders.csv", rows(4));
    let plan = |more: &[&str]| {
        let given = ["--column", "amount=decimal(12,2)", "--max-rejects", "2"];
        let report = place.plan("orders.csv", "t", &[&given, more].concat());
        (report.ended.code, report.error().to_owned())
    };
    assert_eq!(plan(&["--split-bytes", "3000000"]), plan(&[]));
}

#[test]
fn a_broken_record_far_behind_is_set_aside_as_ever() {
    let place = Place::new("ranges-broken");
    let content = rows(0) + "1,too,many,fields\n2,fine,2.5\n";
    let loaded = |table: &str, more: &[&str]| {
        place.put("orders.csv", &content);
        let report = load(&place, table, more).succeeded();
        (report.json["rows"].clone(), report.json["notices"].clone())
    };
    let by_ranges = loaded("by_ranges", &["--split-bytes", "3000000"]);
    assert_eq!(by_ranges, loaded("at_once", &[]));
    assert_eq!(by_ranges.0["rejected"], 1);
}
