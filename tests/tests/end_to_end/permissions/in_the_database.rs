//! The GRANTs of the page, in the stand-in's database.

use loader_tests::{Place, Report, run};

use super::block;

/// The statements of a block, for the place's schema and its user.
fn statements(place: &Place, fence: &str) -> Vec<String> {
    let text = block(&format!("sql {fence}"));
    let (schema, user) = (place.schema(), user(place));
    let statement = |line: &str| {
        let line = line.trim_end_matches(';').replace(" etl", &format!(" {user}"));
        line.replace("SCHEMA sales", &format!("SCHEMA {schema}"))
            .replace(" sales.", &format!(" {schema}."))
    };
    text.lines().map(statement).collect()
}

fn user(place: &Place) -> String {
    format!("{}_etl", place.schema())
}

/// What takes a statement of the page back.
fn taken_back(statement: &str, admin: &str) -> String {
    match statement.strip_prefix("GRANT ") {
        Some(grant) => format!("REVOKE {}", grant.replacen(" TO ", " FROM ", 1)),
        None => {
            let (table, _) = statement.split_once(" OWNER TO ").expect("GRANT or OWNER TO");
            format!("{table} OWNER TO {admin}")
        }
    }
}

/// Loads a file as the place's user.
fn load(place: &Place, content: &str, more: &[&str]) -> Report {
    place.put("x.csv", content);
    let mut command = place.command("run", "x.csv", "orders");
    command.args(["--upsert-keys", "id", "--cluster-identifier", "c", "--db-user", &user(place)]);
    Report::of(run(command.args(more)))
}

/// A schema with a user who may do nothing yet.
fn place(name: &str) -> Place {
    let place = Place::new(name);
    place.execute(&format!("CREATE USER {} PASSWORD DISABLE", user(&place)));
    place
}

/// The administrator runs the first load.
fn first_load(place: &Place) {
    place.put("x.csv", "id,note,pieces\n1,a,1\n");
    let mut command = place.command("run", "x.csv", "orders");
    let _ = Report::of(run(command.args(["--upsert-keys", "id"]))).succeeded();
    place.execute("CREATE VIEW {s}.v_orders AS SELECT id, note FROM {s}.orders");
}

fn long(id: u32, length: usize) -> String {
    format!("id,note\n{id},{}\n", "n".repeat(length))
}

#[test]
fn who_may_make_tables_needs_nothing_else() {
    let place = place("grants-own");
    let grants = statements(&place, "own");
    assert_eq!(grants.len(), 1);
    let missing = load(&place, "id,note\n1,a\n", &[]);
    assert_eq!(missing.ended.code, 2, "{}", missing.error());
    grants.iter().for_each(|grant| place.execute(grant));
    let _ = load(&place, "id,note\n1,a\n", &[]).succeeded();
    let _ = load(&place, "id,note\n1,b\n2,c\n", &["--split-load-above", "0"]).succeeded();
    let refused = load(&place, "id,note\nx,a\n", &[]);
    assert_eq!(refused.ended.code, 3, "{}", refused.error());
    let _ = load(&place, &long(3, 300), &[]).succeeded();
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.orders"), "3");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'FAILED'"), "1");
}

#[test]
fn who_shares_tables_needs_each_grant_of_the_page() {
    let place = place("grants-shared");
    first_load(&place);
    let grants = statements(&place, "shared");
    grants.iter().for_each(|grant| place.execute(grant));
    let _ = load(&place, "id,note\n1,b\n2,c\n", &[]).succeeded();
    let refused = load(&place, "id,note\nx,a\n", &[]);
    assert_eq!(refused.ended.code, 3, "{}", refused.error());
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.job_sts WHERE status = 'FAILED'"), "1");
    // A complete file replaces rows, and a file that lacks a column updates them.
    let is_needed = |at: usize, grant: &str| match grant.split_once(" ON TABLE ") {
        Some(("GRANT DELETE", _)) => format!("id,note,pieces\n{at},d,1\n"),
        _ => format!("id,note\n{at},d\n"),
    };
    for (at, grant) in (10..).zip(&grants) {
        place.execute(&taken_back(grant, "loader"));
        let report = load(&place, &is_needed(at, grant), &[]);
        assert_eq!(report.ended.code, 2, "without {grant}: {}", report.error());
        place.execute(grant);
    }
}

#[test]
fn who_changes_tables_of_others_needs_each_statement_of_the_page() {
    let place = place("grants-evolve");
    first_load(&place);
    statements(&place, "shared").iter().for_each(|grant| place.execute(grant));
    let admin = place.value("SELECT current_user");
    let evolve = statements(&place, "evolve");
    evolve.iter().for_each(|statement| place.execute(statement));
    let _ = load(&place, &long(2, 300), &[]).succeeded();
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.v_orders"), "2");
    let mut length = 1100;
    for (id, statement) in (10..).zip(&evolve) {
        place.execute(&taken_back(statement, &admin));
        let report = load(&place, &long(id, length), &[]);
        assert!([2, 5].contains(&report.ended.code), "without {statement}: {}", report.error());
        // A table that changes hands takes its owner's own grants along.
        statements(&place, "shared").iter().for_each(|grant| place.execute(grant));
        place.execute(statement);
        assert_eq!(place.value("SELECT COUNT(*) FROM {s}.v_orders"), "2", "{statement}");
        length += 1;
    }
    let _ = load(&place, &long(99, length), &[]).succeeded();
}
