//! Scripts: what goes into one transaction, what is written down first, and what is refused.

use loader_model::column_type::ColumnType;
use loader_model::names::TableName;

use super::*;
use crate::catalog::ColumnAttributes;
use crate::dependents::Dependent;
use crate::evolution::journal::JournalKey;
use crate::evolution::view_config::ConfiguredView;
use crate::saved_view::{Grant, Grantee, SavedView, ViewKind};
use crate::sql::{MAX_BATCH_STATEMENTS, table};

fn target() -> TableName {
    TableName::new("public", "orders").expect("a valid name")
}

fn view(name: &str, columns: &[&str], reads: &[usize]) -> Dependent {
    let name = TableName::new("public", name).expect("a valid name");
    let create = format!("CREATE VIEW {} AS SELECT …", table(&name));
    let grant = Grant {
        privilege: "SELECT".into(),
        columns: Vec::new(),
        grantee: Grantee::Group("readers".into()),
        grantable: false,
    };
    Dependent {
        id: 100 + columns.len() as i64,
        view: SavedView {
            name,
            kind: ViewKind::Bound,
            create,
            owner: "owner".into(),
            grants: vec![grant],
            comment: None,
            column_comments: Vec::new(),
        },
        reads_target: !columns.is_empty() || reads.is_empty(),
        columns: columns.iter().map(ToString::to_string).collect(),
        reads: reads.to_vec(),
        obstacle: None,
    }
}

fn dependents(views: Vec<Dependent>) -> Dependents {
    Dependents { user: "me".into(), superuser: true, views, ..Dependents::default() }
}

fn configured(name: &str) -> ConfiguredView {
    let name = TableName::new("public", name).expect("a valid name");
    ConfiguredView { create: format!("CREATE OR REPLACE VIEW {name} AS SELECT *"), name }
}

fn integer(name: &str) -> SchemaChange {
    SchemaChange::ReplaceColumn {
        name: name.into(),
        from: ColumnType::Integer,
        to: ColumnType::BigInt,
        not_null: false,
        default: None,
    }
}

fn text(name: &str) -> SchemaChange {
    let (from, to) = (ColumnType::Varchar { bytes: 256 }, ColumnType::Varchar { bytes: 1024 });
    SchemaChange::WidenVarchar { name: name.into(), from, to }
}

fn added(name: &str) -> SchemaChange {
    SchemaChange::AddColumn { name: name.into(), column_type: ColumnType::Date }
}

fn written(
    changes: Vec<SchemaChange>,
    dependents: &Dependents,
    configured: &[ConfiguredView],
    attributes: &[ColumnAttributes],
) -> String {
    let situation = Situation { target: &target(), attributes, dependents, configured };
    match plan(changes, &situation) {
        Err(obstacles) => format!("refused: {}", obstacles.join("\n")),
        Ok(plan) => {
            let mut out = String::new();
            if !plan.journal.is_empty() {
                let names: Vec<String> =
                    plan.journal.iter().map(|view| view.name.to_string()).collect();
                out.push_str(&format!("journal: {}\n", names.join(", ")));
            }
            let key = JournalKey { target: target(), run_id: "r1".into() };
            for execution in &plan.executions {
                let (kind, statements) = match execution {
                    Execution::Alone(statement) => ("alone", vec![statement.clone()]),
                    Execution::Transaction(transaction) => {
                        ("transaction", transaction.to_send(&key))
                    }
                };
                out.push_str(&format!("{kind}\n"));
                statements.iter().for_each(|sql| out.push_str(&format!("  {sql}\n")));
            }
            plan.notices.iter().for_each(|notice| out.push_str(&format!("notice: {notice}\n")));
            out
        }
    }
}

#[test]
fn an_integer_and_its_views_are_one_transaction() {
    let views = dependents(vec![
        view("v1", &["id"], &[]),
        view("other", &["note"], &[]),
        view("v2", &[], &[0]),
    ]);
    insta::assert_snapshot!(written(vec![integer("id")], &views, &[], &[]), @r#"
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS same_views FROM pg_class WHERE oid IN (100, 101)
      DROP VIEW "public"."v2"
      DROP VIEW "public"."v1"
      ALTER TABLE "public"."orders" ADD COLUMN "_loader_widened" BIGINT
      UPDATE "public"."orders" SET "_loader_widened" = "id"
      ALTER TABLE "public"."orders" DROP COLUMN "id"
      ALTER TABLE "public"."orders" RENAME COLUMN "_loader_widened" TO "id"
      CREATE VIEW "public"."v1" AS SELECT …
      GRANT SELECT ON "public"."v1" TO GROUP "readers"
      ALTER TABLE "public"."v1" OWNER TO "owner"
      CREATE VIEW "public"."v2" AS SELECT …
      GRANT SELECT ON "public"."v2" TO GROUP "readers"
      ALTER TABLE "public"."v2" OWNER TO "owner"
    "#);
}

#[test]
fn a_varchar_lets_go_of_every_view_and_they_are_written_down_first() {
    let views = dependents(vec![view("v1", &["id"], &[]), view("v2", &[], &[0])]);
    insta::assert_snapshot!(written(vec![text("note"), text("city"), added("day")], &views, &[], &[]), @r#"
    journal: public.v1, public.v2
    transaction
      LOCK "public"."loader_fence_orders"
      SET enable_result_cache_for_session TO off
      SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS still_in_journal FROM "public"."loader_dropped_views" WHERE part = 1 AND target_table = 'public.orders' AND run_id = 'r1' AND ((view_schema = 'public' AND view_name = 'v2') OR (view_schema = 'public' AND view_name = 'v1'))
      SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS same_views FROM pg_class WHERE oid IN (100, 101)
      DROP VIEW "public"."v2"
      DROP VIEW "public"."v1"
    alone
      ALTER TABLE "public"."orders" ALTER COLUMN "note" TYPE VARCHAR(1024)
    alone
      ALTER TABLE "public"."orders" ALTER COLUMN "city" TYPE VARCHAR(1024)
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      SET enable_result_cache_for_session TO off
      SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS still_in_journal FROM "public"."loader_dropped_views" WHERE part = 1 AND target_table = 'public.orders' AND run_id = 'r1' AND ((view_schema = 'public' AND view_name = 'v1') OR (view_schema = 'public' AND view_name = 'v2'))
      ALTER TABLE "public"."orders" ADD COLUMN "day" DATE
      CREATE VIEW "public"."v1" AS SELECT …
      GRANT SELECT ON "public"."v1" TO GROUP "readers"
      ALTER TABLE "public"."v1" OWNER TO "owner"
      CREATE VIEW "public"."v2" AS SELECT …
      GRANT SELECT ON "public"."v2" TO GROUP "readers"
      ALTER TABLE "public"."v2" OWNER TO "owner"
      DELETE FROM "public"."loader_dropped_views" WHERE target_table = 'public.orders' AND run_id = 'r1' AND ((view_schema = 'public' AND view_name = 'v1') OR (view_schema = 'public' AND view_name = 'v2'))
    "#);
}

#[test]
fn without_views_there_is_no_journal() {
    insta::assert_snapshot!(written(vec![text("note"), added("day")], &dependents(Vec::new()), &[], &[]), @r#"
    alone
      ALTER TABLE "public"."orders" ALTER COLUMN "note" TYPE VARCHAR(1024)
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      ALTER TABLE "public"."orders" ADD COLUMN "day" DATE
    "#);
}

#[test]
fn configured_views_see_new_columns() {
    let views = dependents(vec![view("v_orders", &["id"], &[]), view("on_top", &[], &[0])]);
    let config = [configured("v_orders"), configured("v_new")];
    insta::assert_snapshot!(written(vec![added("day")], &views, &config, &[]), @r#"
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      SELECT 1 / (CASE WHEN COUNT(*) = 2 THEN 1 ELSE 0 END) AS same_views FROM pg_class WHERE oid IN (100, 101)
      DROP VIEW "public"."on_top"
      DROP VIEW "public"."v_orders"
      ALTER TABLE "public"."orders" ADD COLUMN "day" DATE
      CREATE OR REPLACE VIEW public.v_orders AS SELECT *
      GRANT SELECT ON "public"."v_orders" TO GROUP "readers"
      ALTER TABLE "public"."v_orders" OWNER TO "owner"
      CREATE VIEW "public"."on_top" AS SELECT …
      GRANT SELECT ON "public"."on_top" TO GROUP "readers"
      ALTER TABLE "public"."on_top" OWNER TO "owner"
      CREATE OR REPLACE VIEW public.v_new AS SELECT *
    "#);
}

#[test]
fn a_configured_view_that_cannot_come_back_stays_as_it_is() {
    let stuck = Dependent {
        obstacle: Some("view public.m is materialized".into()),
        ..view("m", &[], &[0])
    };
    let views = dependents(vec![view("v_orders", &["id"], &[]), stuck]);
    insta::assert_snapshot!(written(vec![added("day")], &views, &[configured("v_orders")], &[]), @r#"
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      ALTER TABLE "public"."orders" ADD COLUMN "day" DATE
    notice: view public.v_orders keeps its old columns: view public.m is materialized
    "#);
}

#[test]
fn everything_in_the_way_is_named_at_once() {
    let stuck = Dependent {
        obstacle: Some("view public.m is materialized".into()),
        ..view("m", &["id"], &[])
    };
    let attributes =
        |name: &str| ColumnAttributes { name: name.into(), ..ColumnAttributes::default() };
    let attributes = [
        ColumnAttributes { is_sortkey: true, ..attributes("id") },
        ColumnAttributes { is_constrained: true, ..attributes("note") },
        ColumnAttributes { encoding: "bytedict".into(), ..attributes("city") },
    ];
    let changes = vec![text("note"), text("city"), integer("id")];
    insta::assert_snapshot!(written(changes, &dependents(vec![stuck]), &[], &attributes), @"
    refused: column `note` is part of a declared key (PRIMARY KEY, UNIQUE or FOREIGN KEY), which Redshift does not alter; drop that constraint, loader merges without it
    column `city` is encoded as bytedict, which Redshift does not alter; first run ALTER TABLE … ALTER COLUMN city ENCODE lzo
    column `id` is a sort key, which cannot be replaced by another one; make the table anew with BIGINT
    view public.m is materialized
    ");
}

#[test]
fn more_than_a_transaction_holds_is_written_down_and_split() {
    let views = dependents((0..15).map(|i| view(&format!("v{i}"), &["id"], &[])).collect());
    let text = written(vec![integer("id")], &views, &[], &[]);
    let executions = text.lines().filter(|line| *line == "transaction").count();
    assert_eq!((text.starts_with("journal: public.v0, "), executions), (true, 3), "{text}");
    for transaction in text.split("transaction\n").skip(1) {
        assert!(transaction.lines().count() <= MAX_BATCH_STATEMENTS, "{transaction}");
    }
}

#[test]
fn long_definitions_are_split_by_their_bytes() {
    let long = |name: &str| {
        let mut view = view(name, &["id"], &[]);
        view.view.create.push_str(&" ".repeat(45_000));
        view
    };
    let count = |views| {
        let text = written(vec![integer("id")], &dependents(views), &[], &[]);
        text.lines().filter(|line| *line == "transaction").count()
    };
    assert_eq!(count(vec![long("a"), long("b")]), 1);
    // The drops, the change with two of the views, and the third view.
    assert_eq!(count(vec![long("a"), long("b"), long("c")]), 3);
}

#[test]
fn views_stay_as_they_are_while_no_column_is_added() {
    let views = dependents(vec![view("v_orders", &["note"], &[])]);
    let config = [configured("v_orders"), configured("v_new")];
    insta::assert_snapshot!(written(vec![integer("id")], &views, &config, &[]), @r#"
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      ALTER TABLE "public"."orders" ADD COLUMN "_loader_widened" BIGINT
      UPDATE "public"."orders" SET "_loader_widened" = "id"
      ALTER TABLE "public"."orders" DROP COLUMN "id"
      ALTER TABLE "public"."orders" RENAME COLUMN "_loader_widened" TO "id"
    "#);
}

#[test]
fn a_view_is_renewed_whatever_keeps_other_views() {
    let stuck = Dependent {
        obstacle: Some("view public.m is materialized".into()),
        ..view("m", &["id", "note"], &[])
    };
    let views = dependents(vec![stuck, view("v_orders", &["id"], &[])]);
    insta::assert_snapshot!(written(vec![added("day")], &views, &[configured("v_orders")], &[]), @r#"
    transaction
      LOCK "public"."loader_fence_orders"
      LOCK "public"."orders"
      SELECT 1 / (CASE WHEN COUNT(*) = 1 THEN 1 ELSE 0 END) AS same_views FROM pg_class WHERE oid IN (101)
      DROP VIEW "public"."v_orders"
      ALTER TABLE "public"."orders" ADD COLUMN "day" DATE
      CREATE OR REPLACE VIEW public.v_orders AS SELECT *
      GRANT SELECT ON "public"."v_orders" TO GROUP "readers"
      ALTER TABLE "public"."v_orders" OWNER TO "owner"
    "#);
}

#[test]
fn privileges_and_policies_that_stay_hidden_are_said() {
    let hidden = Dependents {
        superuser: false,
        policies_unknown: true,
        ..dependents(vec![view("v1", &["id"], &[])])
    };
    let notices = |changes: Vec<SchemaChange>| -> String {
        let text = written(changes, &hidden, &[], &[]);
        text.lines().filter(|line| line.starts_with("notice: ")).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(notices(vec![integer("id")]), @"
    notice: me is no superuser and may not see all privileges on single columns; a column that is replaced by another one loses the privileges that stay hidden
    notice: the loader cannot read whether the views have row-level security, and does not restore it
    ");
    let typed = SchemaChange::GiveType { name: "day".into(), to: ColumnType::Date };
    insta::assert_snapshot!(notices(vec![typed]), @"notice: me is no superuser and may not see all privileges on single columns; a column that is replaced by another one loses the privileges that stay hidden");
    assert_eq!(notices(vec![added("day")]), "");
}

#[test]
fn a_materialized_view_keeps_types_from_changing() {
    let name = |table: &str| TableName::new("public", table).expect("a valid name");
    let views = Dependents {
        materialized: vec![name("m"), name("held")],
        ..dependents(vec![Dependent {
            obstacle: Some("view public.held is materialized".into()),
            ..view("held", &["id"], &[])
        }])
    };
    insta::assert_snapshot!(written(vec![integer("id")], &views, &[], &[]), @"
    refused: view public.held is materialized
    public.m is a materialized view of the table, and Redshift could not refresh it any more; drop it before the load and create it again afterwards
    ");
    assert!(written(vec![added("day")], &views, &[], &[]).starts_with("transaction"));
}

#[test]
fn a_table_is_made_with_as_many_views_as_its_transaction_holds() {
    let made = || SchemaChange::CreateTable { columns: Vec::new(), keys: Default::default() };
    let told = |change: SchemaChange, count: usize| {
        let views: Vec<_> = (0..count).map(|n| configured(&format!("v{n}"))).collect();
        written(vec![change], &dependents(Vec::new()), &views, &[])
    };
    assert!(told(made(), 23).starts_with("transaction"));
    insta::assert_snapshot!(told(made(), 24), @"refused: view_config.json has 24 views of the table, and at most 23 can be made together with a table");
    assert!(told(added("day"), 24).starts_with("transaction"));
}

#[test]
fn a_view_is_no_longer_than_a_statement() {
    let told = |bytes: usize| {
        let view = ConfiguredView { create: "x".repeat(bytes), ..configured("v") };
        written(vec![added("day")], &dependents(Vec::new()), &[view], &[])
    };
    assert!(told(100_000).starts_with("transaction"));
    insta::assert_snapshot!(told(100_001), @"refused: the definition of public.v makes a statement of 100001 bytes, the Data API takes 100,000");
}

#[test]
fn statements_are_shown_without_those_about_the_journal() {
    let views = dependents(vec![view("v1", &["id"], &[])]);
    let target = target();
    let situation =
        Situation { target: &target, attributes: &[], dependents: &views, configured: &[] };
    let plan = plan(vec![text("note")], &situation).expect("nothing is in the way");
    insta::assert_snapshot!(plan.statements().join("\n"), @r#"
    LOCK "public"."loader_fence_orders"
    DROP VIEW "public"."v1"
    ALTER TABLE "public"."orders" ALTER COLUMN "note" TYPE VARCHAR(1024)
    LOCK "public"."loader_fence_orders"
    CREATE VIEW "public"."v1" AS SELECT …
    GRANT SELECT ON "public"."v1" TO GROUP "readers"
    ALTER TABLE "public"."v1" OWNER TO "owner"
    "#);
}

#[test]
fn a_refused_guard_of_a_type_is_known() {
    let views = dependents(Vec::new());
    let target = target();
    let situation =
        Situation { target: &target, attributes: &[], dependents: &views, configured: &[] };
    let typed = SchemaChange::GiveType { name: "day".into(), to: ColumnType::Date };
    let guards = typed.guards(&target);
    let plan = plan(vec![typed, integer("id")], &situation).expect("nothing is in the way");
    for statement in plan.statements() {
        let is_guard = guards.contains(&statement);
        assert_eq!(plan.guards_type(&target, &statement), is_guard, "{statement}");
    }
    assert_eq!(guards.len(), 2);
}
