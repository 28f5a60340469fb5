//! What a load would do: said beforehand, readable, and without changing anything.

use loader_tests::{Place, Report, plugin, run};

use super::configured::view_config;
use super::{ALL_COLUMNS, KEYS, files, set_up, state};

/// Everything in the warehouse that the test can see, and in the bucket.
fn everything(place: &Place) -> Vec<String> {
    let tables = place.select(
        "SELECT DISTINCT table_name FROM svv_columns WHERE table_schema = '{s}' ORDER BY 1",
    );
    let columns = "SELECT * FROM svv_columns WHERE table_schema = '{s}' ORDER BY table_name, \
                   ordinal_position";
    let mut all: Vec<String> = place.select(columns).iter().map(ToString::to_string).collect();
    for table in tables.iter().filter_map(|row| row["table_name"].as_str()) {
        let mut rows: Vec<String> = place
            .select(&format!("SELECT * FROM {{s}}.{table}"))
            .iter()
            .map(ToString::to_string)
            .collect();
        rows.sort();
        all.extend(rows);
    }
    let state = state(place);
    all.extend(state.iter().flatten().map(ToString::to_string));
    all.extend(place.objects());
    all
}

#[test]
fn a_plan_changes_nothing() {
    let place = Place::new("only-planned");
    set_up(&place);
    let rows = "id,note,kept\n1,again,a\n";
    place.put("first.csv", rows);
    let _ = Report::of(run(place.command("run", "first.csv", "t").args(KEYS))).succeeded();
    place.write("config/view_config.json", view_config(&place.schema(), ALL_COLUMNS));
    for (kind, csv, _) in files() {
        place.put(&format!("{kind}.csv"), csv);
    }
    place.put("again.csv", rows);
    place.put("bad.csv", "id,note,kept\nx,n,c\n");
    place.put("rejects.csv", "id,note,kept\n,n,c\n4,n,c\n");
    let before = everything(&place);
    let plan = |file: &str, more: &[&str]| {
        let report = Report::of(run(place.command("plan", file, "t").args(KEYS).args(more)));
        assert_eq!(everything(&place), before, "planning {file} changed something");
        report
    };
    for (file, code, outcome) in [
        ("text.csv", 0, "changes"),
        ("integer.csv", 0, "changes"),
        ("both.csv", 0, "changes"),
        ("again.csv", 0, "no_change"),
        ("bad.csv", 3, "refused"),
        ("rejects.csv", 3, "refused"),
        ("missing.csv", 2, "refused"),
    ] {
        let report = plan(file, &[]);
        let found = (report.ended.code, report.json["outcome"].as_str().unwrap_or_default());
        assert_eq!(found, (code, outcome), "{file}: {}", report.error());
    }
    let rejects = plan("rejects.csv", &["--max-rejects", "1"]);
    assert_eq!(
        rejects.json["rows"],
        serde_json::json!({ "read": 2, "accepted": 1, "rejected": 1 })
    );
    assert_eq!(rejects.json["rejects"][0]["line"], 2);
    assert_eq!(plan("again.csv", &["--diff"]).ended.code, 0);
    assert_eq!(plan("both.csv", &["--diff"]).ended.code, 10);
}

#[test]
fn a_plan_can_be_read() {
    let place = Place::new("read-plan");
    set_up(&place);
    place.write("config/view_config.json", view_config(&place.schema(), ALL_COLUMNS));
    let (_, csv, _) = files().into_iter().nth(2).expect("the third");
    place.put("x.csv", csv);
    let mut command = place.bare_command("plan");
    let ended =
        run(command.args(["--source-file-name", "x.csv", "--target-table", "t"]).args(KEYS));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    insta::assert_snapshot!(ended.stdout, @r#"
    s3://read-plan/data/in/x.csv would be loaded into read_plan.t, which would change

    Columns
    | column | now         | then         |         |
    |--------|-------------|--------------|---------|
    | id     | INTEGER     | BIGINT       | widened |
    | note   | VARCHAR(20) | VARCHAR(256) | widened |
    | kept   | VARCHAR(9)  | VARCHAR(9)   |         |
    | more   |             | INTEGER      | added   |

    Why new columns have their types
    more: whole numbers from 1 to 1

    Statements
    -- one transaction
    LOCK "read_plan"."loader_fence_t";
    DROP VIEW "read_plan"."on_v";
    DROP VIEW "read_plan"."v_all";
    DROP VIEW "read_plan"."aside";
    DROP VIEW "read_plan"."v";
    -- by itself
    ALTER TABLE "read_plan"."t" ALTER COLUMN "note" TYPE VARCHAR(256);
    -- one transaction
    LOCK "read_plan"."loader_fence_t";
    LOCK "read_plan"."t";
    ALTER TABLE "read_plan"."t" ADD COLUMN "_loader_widened" BIGINT DEFAULT 0 NOT NULL;
    UPDATE "read_plan"."t" SET "_loader_widened" = "id";
    ALTER TABLE "read_plan"."t" DROP COLUMN "id";
    ALTER TABLE "read_plan"."t" RENAME COLUMN "_loader_widened" TO "id";
    GRANT SELECT ("id") ON "read_plan"."t" TO GROUP "read_plan_readers";
    COMMENT ON COLUMN "read_plan"."t"."id" IS 'the key''s comment';
    ALTER TABLE "read_plan"."t" ADD COLUMN "more" INTEGER;
    CREATE VIEW "read_plan"."v" AS SELECT t.id,
        t.note AS remark
       FROM read_plan.t;
    COMMENT ON VIEW "read_plan"."v" IS 'what people read';
    COMMENT ON COLUMN "read_plan"."v"."id" IS 'as in the table';
    GRANT SELECT ON "read_plan"."v" TO GROUP "read_plan_readers", ROLE "read_plan_analysts";
    GRANT SELECT ("id") ON "read_plan"."v" TO ROLE "read_plan_analysts";
    GRANT INSERT, SELECT ON "read_plan"."v" TO "read_plan_ann" WITH GRANT OPTION;
    CREATE VIEW "read_plan"."aside" AS SELECT t.kept
       FROM read_plan.t;
    CREATE OR REPLACE VIEW read_plan.v_all AS SELECT * FROM read_plan.t;
    GRANT SELECT ON "read_plan"."v_all" TO GROUP "read_plan_readers";
    CREATE VIEW "read_plan"."on_v" AS SELECT v.id,
        t.kept
       FROM read_plan.v
         JOIN read_plan.t ON t.id = v.id
      WHERE v.remark <> 'x'::character varying;
    GRANT SELECT ON "read_plan"."on_v" TO PUBLIC;
    ALTER TABLE "read_plan"."on_v" OWNER TO "read_plan_ann";

    Views
    read_plan.v: dropped, and restored as it is, owner loader, 5 grants
    read_plan.aside: dropped, and restored as it is, owner loader
    read_plan.v_all: dropped, and made anew from view_config.json, owner loader, 1 grant
    read_plan.on_v: dropped, and restored as it is, owner read_plan_ann, 1 grant

    Rows
    1 read = 1 accepted + 0 rejected
    "#);
}

#[test]
fn a_plan_says_why_each_new_column_has_its_type() {
    let place = Place::new("planned-types");
    place.put("x.csv", "id,amount,day,code\n1,1.50,2024-01-05,007\n2,20,2024-02-05,008\n");
    let mut plan = place.bare_command("plan");
    plan.arg("--plugins").arg(plugin("default"));
    let planned = run(plan.args(["--source-file-name", "x.csv", "--target-table", "t"]));
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let (_, reasons) = planned.stdout.split_once("id: ").expect("reasons");
    let (reasons, _) = reasons.split_once("\n\n").expect("an end");
    insta::assert_snapshot!(format!("id: {reasons}"), @"
    id: whole numbers from 1 to 2
    amount: plugin `default` makes it
    day: dates
    code: line 2 has leading zeros, which a number would lose
    run_date: plugin `default` makes it
    file_name: plugin `default` makes it
    ");
}
