//! Columns whose files had no value, and get their type from a later one: beside other programs,
//! beside other loads, and where a view is in the way.

use loader_tests::Place;

use crate::database_session::Session;
use crate::isolation::{end, start};

/// A table with one row, which has no value in `paid`.
fn place_without_values(name: &str) -> Place {
    let place = Place::new(name);
    place.put("first.csv", "id,paid\n1,\n");
    let _ = end(start(&place, "first.csv", "t", &[])).succeeded();
    place
}

fn type_of(place: &Place, column: &str) -> String {
    place.value(&format!(
        "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = \
         '{{s}}.t'::regclass AND a.attname = '{column}'"
    ))
}

#[test]
fn a_value_that_another_program_writes_meanwhile_keeps_the_column_text() {
    let place = place_without_values("value-meanwhile");
    let other = Session::in_database("dev", "");
    other.execute("BEGIN");
    other.execute("INSERT INTO value_meanwhile.t (id, paid) VALUES (7, 'by hand')");
    place.put("x.csv", "id,paid\n1,2024-01-05\n2,\n");
    // The load has counted no value, and waits with its change for the other program.
    let load = start(&place, "x.csv", "t", &[]);
    other.running("LOCK \"value_meanwhile\".\"t\"");
    other.execute("COMMIT");
    let report = end(load).succeeded();
    insta::assert_snapshot!(report.json["notices"][0], @r#""columns of the table that were made without a type have texts by now, so they stay VARCHAR, and this file's values are stored there as texts, though none is one: `paid`""#);
    assert_eq!(type_of(&place, "paid"), "character varying(251)");
    let paid = |id: u8| place.value(&format!("SELECT paid FROM {{s}}.t WHERE id = {id}"));
    assert_eq!((paid(1).as_str(), paid(7).as_str()), ("2024-01-05", "by hand"));
}

#[test]
fn two_first_types_at_once_come_to_one() {
    let place = place_without_values("two-first-types");
    let other = Session::in_database("dev", "");
    other.execute("BEGIN");
    other.execute("LOCK two_first_types.loader_fence_t");
    place.put("moments.csv", "id,paid\n2,2024-01-05 10:00:00\n");
    place.put("days.csv", "id,paid\n3,2024-01-05\n");
    let fence = "LOCK \"two_first_types\".\"loader_fence_t\"";
    let moments = start(&place, "moments.csv", "t", &[]);
    other.all_running(fence, 1);
    let days = start(&place, "days.csv", "t", &[]);
    other.all_running(fence, 2);
    other.execute("COMMIT");
    // Whoever waits longest is first, and decides.
    let _ = (end(moments).succeeded(), end(days).succeeded());
    assert_eq!(type_of(&place, "paid"), "timestamp without time zone");
    let paid = place.value("SELECT paid FROM {s}.t WHERE id = 3");
    assert_eq!(paid, "2024-01-05 00:00:00");
}

#[test]
fn a_view_that_the_type_would_break_refuses_the_file_and_the_remedy_loads_it() {
    let place = place_without_values("first-type-breaks-view");
    place.execute("CREATE VIEW {s}.v AS SELECT id, COALESCE(paid, 'open') AS paid FROM {s}.t");
    place.put("x.csv", "id,paid\n1,2024-01-05\n");
    let refused = end(start(&place, "x.csv", "t", &[]));
    assert_eq!(refused.ended.code, 5, "{}", refused.ended.stderr);
    let message = refused.error();
    assert!(message.contains("with --schema-policy freeze, columns"), "{message}");
    assert_eq!(place.value("SELECT paid FROM {s}.v"), "open");

    let _ = end(start(&place, "x.csv", "t", &["--schema-policy", "freeze"])).succeeded();
    assert_eq!(place.value("SELECT paid FROM {s}.v"), "2024-01-05");
}

#[test]
fn the_plan_says_that_a_column_gets_its_type_and_why() {
    let place = place_without_values("first-type-planned");
    place.put("x.csv", "id,paid\n1,2024-01-05\n");
    let mut plan = place.bare_command("plan");
    plan.args(["--source-file-name", "x.csv", "--target-table", "t", "--upsert-keys", "id"]);
    let planned = loader_tests::run(&mut plan);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let is_of_it = |line: &&str| line.contains("paid") && !line.contains("pg_attribute");
    let lines: Vec<&str> = planned.stdout.lines().filter(is_of_it).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    | paid   | VARCHAR(251) | DATE    | no value yet, gets its type |
    paid: dates
    SELECT 1 / (CASE WHEN COUNT("paid") = 0 THEN 1 ELSE 0 END) AS no_value_yet FROM "first_type_planned"."t";
    ALTER TABLE "first_type_planned"."t" DROP COLUMN "paid";
    ALTER TABLE "first_type_planned"."t" RENAME COLUMN "_loader_widened" TO "paid";
    "#);
    let _ = end(start(&place, "x.csv", "t", &[])).succeeded();
}
