//! Views of `config/view_config.json`: made with their table, made anew with its columns, and
//! refused when they are wrong.

use loader_tests::{Place, Report, plugin, run};

use super::{ALL_COLUMNS, KEYS, files, load_without_plugins, set_up, state};

pub(super) fn view_config(schema: &str, select: &str) -> String {
    let definition = format!("CREATE OR REPLACE VIEW {{schema_name}}.{{view_name}} AS {select}");
    serde_json::json!([
        { "source_table": "t", "view_name": "v_all", "schema_name": schema, "definition": definition },
        { "source_table": "elsewhere", "view_name": "x", "schema_name": schema, "definition": definition },
    ])
    .to_string()
}

#[test]
fn configured_views_are_made_and_see_new_columns() {
    let place = Place::new("configured-views");
    let load = |file: &str, csv: &str| {
        place.put(file, csv);
        Report::of(run(place
            .command("run", file, "t")
            .args(KEYS)
            .arg("--plugins")
            .arg(plugin("default"))))
    };
    place.write("config/view_config.json", view_config(&place.schema(), ALL_COLUMNS));
    let _ = load("a.csv", "id\n1\n").succeeded();
    let columns = || {
        let row = place.select("SELECT * FROM {s}.v_all LIMIT 1").remove(0);
        row.as_object().expect("a row").keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns(), "id run_date file_name");
    place.execute("CREATE GROUP {s}_readers");
    place.execute("GRANT SELECT ON {s}.v_all TO GROUP {s}_readers");
    let report = load("b.csv", "id,name\n2,two\n").succeeded();
    assert_eq!(columns(), "id run_date file_name name");
    assert_eq!(report.json["views"][0]["action"], "renew");
    let grants = "SELECT COUNT(*) FROM svv_relation_privileges WHERE namespace_name = '{s}' AND \
                  relation_name = 'v_all' AND identity_type = 'group'";
    assert_eq!(place.value(grants), "1");

    // A definition that does not work is found before a row is loaded, and everything stays.
    place.write(
        "config/view_config.json",
        view_config(&place.schema(), "SELECT nothing FROM {schema_name}.{source_table}"),
    );
    let report = load("c.csv", "id,more\n3,x\n");
    assert_eq!(report.ended.code, 2);
    insta::assert_snapshot!(report.error().split(" \
                                                  (statement_id").next().unwrap_or_default(), @r#"a view of s3://configured-views/config/view_config.json cannot be made: column "nothing" does not exist; correct its definition, nothing was loaded"#);
    assert_eq!(columns(), "id run_date file_name name");
    assert_eq!(place.value(grants), "1");
    place.write("config/view_config.json", view_config(&place.schema(), ALL_COLUMNS));
    let _ = load("c.csv", "id,more\n3,x\n").succeeded();
    assert_eq!(columns(), "id run_date file_name name more");
    place.write("config/view_config.json", "[\n  {\"source_table\": }\n]");
    let report = load("d.csv", "id,name,more,other\n4,d,x,y\n");
    assert_eq!(report.ended.code, 2);
    insta::assert_snapshot!(report.error(), @"s3://configured-views/config/view_config.json, line 2, column 20: no valid JSON: expected value");
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.t"), "3");
}

#[test]
fn a_definition_that_does_not_work_makes_no_table_until_it_is_corrected() {
    let place = Place::new("bad-definition-of-new");
    let load = |select: &str| {
        place.write("config/view_config.json", view_config(&place.schema(), select));
        place.put("a.csv", "id\n1\n");
        place.load("a.csv", "t", &[])
    };
    let refused = load("SELECT nothing FROM {schema_name}.{source_table}");
    assert_eq!(refused.ended.code, 2);
    let (fact, _) = refused.error().split_once(" (statement_id").expect("a statement");
    insta::assert_snapshot!(fact, @r#"a view of s3://bad-definition-of-new/config/view_config.json cannot be made: column "nothing" does not exist; correct its definition, nothing was loaded"#);
    let tables = "SELECT COUNT(*) FROM svv_columns WHERE table_schema = '{s}' AND table_name = 't'";
    assert_eq!(place.value(tables), "0");
    let _ = load(ALL_COLUMNS).succeeded();
    assert_eq!(place.value("SELECT id FROM {s}.v_all"), "1");
}

#[test]
fn a_definition_that_does_not_work_costs_no_view_where_a_transaction_is_impossible() {
    let place = Place::new("bad-definition");
    set_up(&place);
    let before = state(&place);
    place.write(
        "config/view_config.json",
        view_config(&place.schema(), "SELECT nothing FROM {schema_name}.{source_table}"),
    );
    let (_, csv, _) = files().into_iter().nth(2).expect("the third");
    place.put("x.csv", csv);
    let report = Report::of(load_without_plugins(&place, None));
    assert_eq!(report.ended.code, 2, "{}", report.error());
    assert_eq!(state(&place), before);
    assert_eq!(place.value("SELECT COUNT(*) FROM {s}.v_all"), "2");
    assert!(place.keys().contains(&"data/in/x.csv".to_owned()), "{:?}", place.keys());
}

#[test]
fn a_view_of_another_schema_is_said_where_it_would_be_made() {
    let place = Place::new("configured-elsewhere");
    place.write("config/view_config.json", view_config("reporting", ALL_COLUMNS));
    let said = |report: &Report| {
        let notices = report.json["notices"].to_string();
        notices.contains(
            "entry 1 (view v_all) is for reporting.t, and the table is \
                          configured_elsewhere.t: its view is not made",
        )
    };
    place.put("a.csv", "id\n1\n");
    assert!(said(&place.plan("a.csv", "t", &KEYS)));
    assert!(said(&place.load("a.csv", "t", &KEYS).succeeded()));
    place.put("b.csv", "id\n2\n");
    assert!(!said(&place.load("b.csv", "t", &KEYS).succeeded()));
    place.put("c.csv", "id,more\n3,x\n");
    assert!(said(&place.load("c.csv", "t", &KEYS).succeeded()));
}
