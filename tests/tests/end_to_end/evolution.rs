//! Tables that change under their views: what hangs on them is the same before and after, however a
//! run ends.

mod configured;
mod journal;
mod planned;

use loader_tests::{Ended, Place, Report, run};
use serde_json::Value;

/// A table with views, of which another user owns one and one binds late, and privileges of every
/// kind.
fn set_up(place: &Place) {
    let s = place.schema();
    let statements = [
        "CREATE TABLE {s}.t (id INTEGER NOT NULL, note VARCHAR(20), kept VARCHAR(9) DEFAULT \
         'it''s \\\\ so')",
        "INSERT INTO {s}.t VALUES (1, 'one', 'a'), (2, 'x', 'b')",
        "COMMENT ON COLUMN {s}.t.id IS 'the key''s comment'",
        "CREATE VIEW {s}.v AS SELECT id, note AS \"Remark\" FROM {s}.t",
        "CREATE VIEW {s}.on_v AS SELECT v.id, t.kept FROM {s}.v JOIN {s}.t ON t.id = v.id WHERE \
         v.remark <> 'x'",
        "CREATE VIEW {s}.aside AS SELECT kept FROM {s}.t",
        "CREATE VIEW {s}.late AS SELECT * FROM {s}.t WITH NO SCHEMA BINDING",
        "CREATE USER {s}_ann PASSWORD DISABLE",
        "CREATE GROUP {s}_readers",
        "CREATE ROLE {s}_analysts",
        "GRANT SELECT ON {s}.t TO {s}_ann",
        "GRANT SELECT, INSERT ON {s}.v TO {s}_ann WITH GRANT OPTION",
        "GRANT SELECT ON {s}.v TO GROUP {s}_readers, ROLE {s}_analysts",
        "GRANT SELECT ON {s}.on_v TO PUBLIC",
        "CREATE VIEW {s}.v_all AS SELECT * FROM {s}.t",
        "GRANT SELECT ON {s}.v_all TO GROUP {s}_readers",
        "GRANT SELECT (id, note) ON {s}.t TO GROUP {s}_readers",
        "GRANT SELECT (id) ON {s}.v TO ROLE {s}_analysts",
        "COMMENT ON VIEW {s}.v IS 'what people read'",
        "COMMENT ON COLUMN {s}.v.id IS 'as in the table'",
        "GRANT USAGE, CREATE ON SCHEMA {s} TO {s}_ann",
        "ALTER TABLE {s}.on_v OWNER TO {s}_ann",
    ];
    for statement in statements {
        place.execute(&statement.replace("{s}", &s));
    }
}

/// Everything that must not change: definitions, owners, privileges, comments, what the views show.
fn state(place: &Place) -> Vec<Vec<Value>> {
    let queries = [
        // What `view_config.json` makes anew reads other columns afterwards.
        "SELECT schemaname, viewname, viewowner, CASE WHEN viewname = 'v_all' THEN '' ELSE \
         definition END AS definition FROM pg_views WHERE schemaname = '{s}' ORDER BY 2",
        "SELECT relation_name, privilege_type, identity_name, identity_type, admin_option FROM \
         svv_relation_privileges WHERE namespace_name = '{s}' AND relation_name <> 'job_sts' AND \
         relation_name NOT LIKE 'loader%' ORDER BY 1, 2, 3, 4",
        "SELECT relation_name, column_name, privilege_type, identity_name, identity_type FROM \
         svv_column_privileges WHERE namespace_name = '{s}' ORDER BY 1, 2, 3, 4, 5",
        "SELECT c.relname, a.attname, d.description FROM pg_description d JOIN pg_class c ON c.oid \
         = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON \
         a.attrelid = d.objoid AND a.attnum = d.objsubid WHERE n.nspname = '{s}' ORDER BY 1, 2, 3",
        "SELECT column_name, is_nullable, column_default FROM svv_columns WHERE table_schema = \
         '{s}' AND table_name = 't' ORDER BY 1",
        "SELECT * FROM {s}.v WHERE id <= 2 ORDER BY id",
        "SELECT * FROM {s}.on_v WHERE id <= 2 ORDER BY id",
        "SELECT id, note, kept FROM {s}.late WHERE id <= 2 ORDER BY id",
    ];
    queries.iter().map(|query| place.select(query)).collect()
}

const ALL_COLUMNS: &str = "SELECT * FROM {schema_name}.{source_table}";
const KEYS: [&str; 2] = ["--upsert-keys", "id"];

/// Files that make the table change in each of the ways that a view can be in.
fn files() -> [(&'static str, String, &'static str); 4] {
    let long = "l".repeat(30);
    [
        ("text", format!("id,note,kept\n3,{long},c\n"), "id integer, kept 9, note 256"),
        ("integer", "id,note,kept\n3000000000,n,c\n".into(), "id bigint, kept 9, note 20"),
        (
            "both",
            format!("id,note,kept,more\n3000000000,{long},c,1\n"),
            "id bigint, kept 9, note 256",
        ),
        ("default", format!("id,note,kept\n3,n,{long}\n"), "id integer, kept 256, note 20"),
    ]
}

fn types(place: &Place) -> String {
    let columns = "SELECT column_name, data_type, character_maximum_length FROM svv_columns WHERE \
                   table_schema = '{s}' AND table_name = 't' AND column_name IN ('id', 'kept', \
                   'note') ORDER BY 1";
    let columns = place.select(columns);
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let column = |column: &Value| {
        let length = text(&column["character_maximum_length"]);
        let size = if length == "null" { text(&column["data_type"]) } else { length };
        format!("{} {size}", text(&column["column_name"]))
    };
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn load_without_plugins(place: &Place, crash_at: Option<String>) -> Ended {
    let mut command = place.command("run", "x.csv", "t");
    command.args(KEYS);
    if let Some(point) = crash_at {
        command.env("LOADER_CRASH_AT", point);
    }
    run(&mut command)
}

#[test]
fn views_and_grants_survive_and_the_plan_says_how() {
    for (kind, csv, expected) in files() {
        let place = Place::new(&format!("survives-{kind}"));
        set_up(&place);
        let before = state(&place);
        place.put("x.csv", csv);
        let plan = Report::of(run(place.command("plan", "x.csv", "t").args(KEYS).arg("--diff")));
        assert_eq!(plan.ended.code, 10, "{}", plan.error());
        assert_eq!(state(&place), before, "the plan changed something");
        let report = Report::of(load_without_plugins(&place, None)).succeeded();
        assert_eq!(report.json["schema_changes"], plan.json["statements"], "{kind}");
        assert_eq!(types(&place), expected);
        let mut after = state(&place);
        if kind == "both" {
            after[4].retain(|column| column["column_name"] != "more");
        }
        let widened_key = |state: &mut Vec<Vec<Value>>| {
            // A NOT NULL column cannot be added without a default.
            state[4].iter_mut().filter(|column| column["column_name"] == "id").for_each(|column| {
                column["column_default"] = Value::Null;
            });
        };
        widened_key(&mut after);
        assert_eq!(after, before, "{kind}");
        assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "3");
        assert_eq!(place.value("SELECT COUNT(*) FROM {s}.loader_dropped_views"), "0");
    }
}

/// Kills a run at each point of an evolution, runs it again, and compares.
fn torn(kind: &str) {
    let (_, csv, expected) =
        files().into_iter().find(|(name, ..)| *name == kind).expect("a known kind");
    let mut points = 0;
    loop {
        points += 1;
        let place = Place::new(&format!("torn-{kind}-{points}"));
        set_up(&place);
        let mut before = state(&place);
        place.put("x.csv", &csv);
        if kind == "both" {
            place.write(
                "config/view_config.json",
                configured::view_config(&place.schema(), ALL_COLUMNS),
            );
        }
        let ended = load_without_plugins(&place, Some(format!("evolve-{points}")));
        if ended.code == 134 {
            let _ = Report::of(load_without_plugins(&place, None)).succeeded();
        } else {
            assert_eq!(ended.code, 0, "{points}: {}", ended.stderr);
        }
        let mut after = state(&place);
        for state in [&mut before, &mut after] {
            state[4].retain(|column| column["column_name"] != "more");
            // A NOT NULL column cannot be added without a default.
            let id = state[4].iter_mut().filter(|column| column["column_name"] == "id");
            id.for_each(|column| column["column_default"] = Value::Null);
        }
        assert_eq!(after, before, "killed at {points}");
        assert_eq!(types(&place), expected, "killed at {points}");
        assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "3", "killed at {points}");
        if ended.code == 0 {
            break;
        }
    }
    assert!(points >= 4, "a run was killed at {points} points only");
}

#[test]
fn a_run_killed_while_a_text_is_widened_loses_no_view() {
    torn("text");
}

#[test]
fn a_run_killed_while_an_integer_is_widened_loses_no_view() {
    torn("integer");
}

#[test]
fn a_run_killed_while_a_text_with_a_default_is_widened_loses_no_view() {
    torn("default");
}

#[test]
fn a_run_killed_while_everything_changes_loses_no_view() {
    torn("both");
}

#[test]
fn what_a_killed_run_dropped_is_brought_back_without_a_load() {
    let place = Place::new("retried");
    set_up(&place);
    let before = state(&place);
    let (_, csv, _) = files().into_iter().next().expect("the first");
    place.put("x.csv", csv);
    // After the journal and the first transaction, which drops the views.
    assert_eq!(load_without_plugins(&place, Some("evolve-3".into())).code, 134);
    let views = "SELECT viewname FROM pg_views WHERE schemaname = '{s}' ORDER BY 1";
    assert_eq!(place.select(views).len(), 1, "only the late-binding one is left");
    let in_journal = "SELECT COUNT(*) FROM {s}.loader_dropped_views";
    assert_eq!(place.value(in_journal), "4");
    let plan = Report::of(run(place.command("plan", "x.csv", "t").args(KEYS)));
    assert_eq!(plan.json["views_left_dropped"].as_array().map(Vec::len), Some(4), "{}", plan.json);
    // What a run has dropped for another table is left to it for a quarter of an hour.
    place.put("y.csv", "id\n1\n");
    let other = Report::of(run(&mut place.command("run", "y.csv", "u"))).succeeded();
    assert_eq!(other.json["views_recovered"], serde_json::json!([]));
    let retried = run(place.bare_command("retry").args(["--report", "json"]));
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    assert_eq!(state(&place), before);
    assert_eq!(place.value(in_journal), "0");
    let again = run(place.bare_command("retry").args(["--report", "human"]));
    assert_eq!((again.code, again.stdout.as_str()), (0, "nothing was left behind\n"));
}

#[test]
fn what_a_dead_run_dropped_is_brought_back_by_runs_of_other_tables() {
    let place = Place::new("brought-back");
    set_up(&place);
    let before = state(&place);
    let (_, csv, _) = files().into_iter().next().expect("the first");
    place.put("x.csv", csv);
    assert_eq!(load_without_plugins(&place, Some("evolve-3".into())).code, 134);
    place.execute(
        "UPDATE {s}.loader_dropped_views SET written_at = DATEADD(minute, -16, written_at)",
    );
    place.put("y.csv", "id\n1\n");
    let other = Report::of(run(&mut place.command("run", "y.csv", "u"))).succeeded();
    assert_eq!(other.json["views_recovered"].as_array().map(Vec::len), Some(4), "{}", other.json);
    assert_eq!(state(&place), before);
}

#[test]
fn a_failed_file_is_taken_up_again() {
    let place = Place::new("taken-up-again");
    place.execute("CREATE TABLE {s}.t (id INTEGER NOT NULL, n INTEGER)");
    place.put("x.csv", "id,n\n1,many\n");
    let refused = Report::of(load_without_plugins(&place, None));
    assert_eq!(refused.ended.code, 3, "{}", refused.error());
    assert!(
        place.keys().contains(&"data/unprocessed/YYYY/MM/x.csv".to_owned()),
        "{:?}",
        place.keys()
    );
    place.execute("ALTER TABLE {s}.t DROP COLUMN n");
    place.execute("ALTER TABLE {s}.t ADD COLUMN n VARCHAR(9)");
    let again = Report::of(run(place.command("retry", "x.csv", "t").args(KEYS))).succeeded();
    assert_eq!(again.rows("inserted"), 1);
    assert_eq!(place.value("SELECT n FROM {s}.t"), "many");
}

#[test]
fn what_could_not_come_back_is_refused_before_anything_is_touched() {
    let place = Place::new("refused-views");
    set_up(&place);
    place.execute("CREATE MATERIALIZED VIEW {s}.stored AS SELECT id FROM {s}.t");
    let before = state(&place);
    let (_, csv, _) = files().into_iter().nth(1).expect("the second");
    place.put("x.csv", csv);
    let report = Report::of(load_without_plugins(&place, None));
    assert_eq!(report.ended.code, 5, "{}", report.error());
    insta::assert_snapshot!(report.error(), @"refused_views.t cannot be changed for the file: refused_views.stored is a materialized view, and its rows are not the loader's to drop; drop it before the load and create it again afterwards; nothing was touched");
    assert_eq!(state(&place), before);
    assert!(place.keys().contains(&"data/in/x.csv".to_owned()), "{:?}", place.keys());
    assert!(place.keys().iter().all(|key| !key.starts_with("data/staging")), "{:?}", place.keys());
}

#[test]
fn a_user_who_owns_not_all_views_is_told_so() {
    let place = Place::new("not-the-owner");
    set_up(&place);
    let user = format!("{}_ben", place.schema());
    let schema = place.schema();
    for statement in [
        format!("CREATE USER {user} PASSWORD DISABLE"),
        format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {user}"),
        format!("ALTER TABLE {schema}.t OWNER TO {user}"),
    ] {
        place.execute(&statement);
    }
    let before = state(&place);
    let (_, csv, _) = files().into_iter().nth(1).expect("the second");
    place.put("x.csv", csv);
    let mut command = place.command("run", "x.csv", "t");
    let report = Report::of(run(command.args(KEYS).args([
        "--cluster-identifier",
        "local",
        "--db-user",
        &user,
    ])));
    assert_eq!(report.ended.code, 5, "{}", report.error());
    insta::assert_snapshot!(report.error(), @"not_the_owner.t cannot be changed for the file: view not_the_owner.v belongs to loader, and not_the_owner_ben is no superuser who could give it back; run the load as a superuser or as the owner, or drop it before the load and create it again afterwards; view not_the_owner.v_all belongs to loader, and not_the_owner_ben is no superuser who could give it back; run the load as a superuser or as the owner, or drop it before the load and create it again afterwards; view not_the_owner.on_v belongs to not_the_owner_ann, and not_the_owner_ben is no superuser who could give it back; run the load as a superuser or as the owner, or drop it before the load and create it again afterwards; nothing was touched");
    assert_eq!(state(&place), before);
}

#[test]
fn a_table_of_another_owner_is_tried_and_its_views_come_back() {
    let place = Place::new("the-table-of-another");
    set_up(&place);
    let (schema, user) = (place.schema(), format!("{}_ben", place.schema()));
    let owned = ["v", "v_all", "on_v", "aside"];
    let owned = owned.map(|view| format!("ALTER TABLE {schema}.{view} OWNER TO {user}"));
    let grants = [
        format!("CREATE USER {user} PASSWORD DISABLE"),
        format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {user}"),
        format!("GRANT ALL ON {schema}.t TO {user}"),
    ];
    grants.iter().chain(&owned).for_each(|statement| place.execute(statement));
    let before = state(&place);
    for (kind, csv, _) in files() {
        place.put("x.csv", csv);
        let mut command = place.command("run", "x.csv", "t");
        let command = command.args(KEYS).args(["--cluster-identifier", "local"]);
        let report = Report::of(run(command.args(["--db-user", &user])));
        assert_eq!(report.ended.code, 2, "{kind}: {}", report.error());
        let refusal = "must be owner of relation t; grant this to the database user";
        assert!(report.error().contains(refusal), "{kind}: {}", report.error());
        assert_eq!(state(&place), before, "{kind}");
    }
}

#[test]
fn a_late_binding_view_that_breaks_is_reported() {
    let place = Place::new("late-and-broken");
    set_up(&place);
    place.execute("CREATE VIEW {s}.lost AS SELECT gone FROM {s}.t WITH NO SCHEMA BINDING");
    let (_, csv, _) = files().into_iter().next().expect("the first");
    place.put("x.csv", csv);
    let report = Report::of(load_without_plugins(&place, None)).succeeded();
    insta::assert_snapshot!(report.json["notices"][0].as_str().unwrap_or_default(), @r#"
    late-binding view late_and_broken.lost does not work: column "gone" does not exist
      Hint: Perhaps you meant to reference the column "t.note".
    "#);
}

#[test]
fn two_runs_that_change_one_table_at_once_both_load() {
    let place = Place::new("changed-by-two");
    set_up(&place);
    let mut before = state(&place);
    let long = "l".repeat(300);
    place.put("a.csv", format!("id,note,kept\n3,{long},c\n"));
    place.put("b.csv", format!("id,note,kept,more\n3000000000,{long}{long}{long}{long},c,1\n"));
    let command = |file: &str| {
        let mut command = place.command("run", file, "t");
        command.args(KEYS);
        command
    };
    let runs = ["a.csv", "b.csv"].map(|file| (file, loader_tests::start(&mut command(file))));
    for (file, run) in runs {
        let output = run.wait_with_output().expect("it ends");
        let mut code = loader_tests::code(output.status);
        if code == 4 {
            // The other one was faster; what was staged for the narrower table does not fit the
            // wider one.
            code = loader_tests::run(&mut command(file)).code;
        }
        assert_eq!(code, 0, "{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut after = state(&place);
    for state in [&mut before, &mut after] {
        state[4].retain(|column| column["column_name"] != "more");
        let id = state[4].iter_mut().filter(|column| column["column_name"] == "id");
        id.for_each(|column| column["column_default"] = Value::Null);
    }
    assert_eq!(after, before);
    assert_eq!(types(&place), "id bigint, kept 9, note 4096");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "4");
}
