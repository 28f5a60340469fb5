//! Every statement of the checks, as text.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::names::TableName;

use super::rights::{Right, Trialled};
use super::{connection, foreign_writer, loads, refusals, rights, samples, scratch, spelling};
use crate::rows::{Cell, ResultRows};

fn name() -> TableName {
    TableName::new("sa\"les", "or'ders").expect("a valid name")
}

#[test]
fn a_trial_is_always_taken_back() {
    let trial = rights::trial([rights::make(&name())]);
    insta::assert_snapshot!(trial.join("\n"), @r#"
    SET statement_timeout TO 10000
    CREATE TABLE "sa""les"."or'ders" (n INTEGER)
    SELECT 1 / 0 AS taken_back
    "#);
}

#[test]
fn rights_are_tried_without_a_row() {
    let column = |name: &str, default| CatalogColumn {
        name: name.to_owned(),
        column_type: ColumnType::BigInt,
        type_text: "bigint".to_owned(),
        nullable: true,
        number: 1,
        default,
    };
    let columns = [
        column("row", ColumnDefault::Identity { by_default: false }),
        column("id", ColumnDefault::None),
        column("n", ColumnDefault::Identity { by_default: true }),
    ];
    let target = name();
    let trialled = Trialled::of_catalog(&target, &columns);
    let all = [Right::Lock, Right::Select, Right::Insert, Right::Update, Right::Delete];
    let statements: Vec<String> = all
        .into_iter()
        .flat_map(|right| {
            let grant = rights::grant(right, &target, "IAMR:etl");
            trialled.statements(right).into_iter().chain([grant])
        })
        .collect();
    insta::assert_snapshot!(statements.join("\n"), @r#"
    LOCK "sa""les"."or'ders"
    GRANT UPDATE ON TABLE "sa""les"."or'ders" TO "IAMR:etl"
    SELECT COUNT(*) AS n FROM "sa""les"."or'ders" WHERE 1 = 0
    GRANT SELECT ON TABLE "sa""les"."or'ders" TO "IAMR:etl"
    CREATE TEMP TABLE loader_doctor_rows ("id" bigint, "n" bigint)
    INSERT INTO "sa""les"."or'ders" ("id", "n") SELECT "id", "n" FROM loader_doctor_rows
    GRANT INSERT ON TABLE "sa""les"."or'ders" TO "IAMR:etl"
    UPDATE "sa""les"."or'ders" SET "id" = "id" WHERE 1 = 0
    GRANT UPDATE ON TABLE "sa""les"."or'ders" TO "IAMR:etl"
    DELETE FROM "sa""les"."or'ders" WHERE 1 = 0
    GRANT DELETE ON TABLE "sa""les"."or'ders" TO "IAMR:etl"
    "#);
}

#[test]
fn the_tables_beside_the_target_are_used_as_a_load_does() {
    let mut kept = rights::shared("sales", true);
    kept.push(rights::fence(&name()));
    let lines: Vec<String> = kept
        .iter()
        .map(|kept| format!("{} {:?} {:?}", kept.table, kept.rights, kept.trialled().columns))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    sales.loader_loads [Select, Insert] [("load_id", "VARCHAR(64)")]
    sales.job_sts [Insert] [("run_id", "BIGINT")]
    sales.loader_dropped_views [Select, Insert, Delete] [("view_name", "VARCHAR(128)")]
    sa"les.loader_fence_or'ders [Lock, Select, Insert] [("load_id", "VARCHAR(64)")]
    "#);
}

#[test]
fn names_stay_inside_their_quotes() {
    let name = name();
    let statements = [
        scratch::create_schema("o\"b"),
        scratch::drop_schema("o\"b"),
        scratch::schema_query("o'b"),
        scratch::schemas_query("o'b"),
        scratch::databases_query("o'b"),
        scratch::drop_database("o\"b"),
        scratch::relations_query("o'b"),
        connection::query(),
        connection::isolation_query("o'b"),
        connection::show("timezone"),
        rights::look_into(&name),
        rights::owner_query(&name),
        rights::alter_query(&name, "o'b"),
        rights::grant_on_schema("USAGE", "o\"b", "u"),
        rights::grant_on_database("CREATE", "o\"b", "u"),
        rights::give(&name, "u"),
    ];
    insta::assert_snapshot!(statements.join("\n"), @r#"
    CREATE SCHEMA "o""b"
    DROP SCHEMA IF EXISTS "o""b" CASCADE
    SELECT COUNT(*) AS schemas FROM pg_namespace WHERE nspname = 'o''b'
    SELECT nspname AS name FROM pg_namespace WHERE SUBSTRING(nspname, 1, 3) = 'o''b' ORDER BY nspname
    SELECT datname AS name FROM pg_database WHERE SUBSTRING(datname, 1, 3) = 'o''b' ORDER BY datname
    DROP DATABASE "o""b"
    SELECT n.nspname, c.relname, c.relkind = 'v' AS is_view, c.relkind = 'm' AS is_materialized FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'o''b' AND c.relkind IN ('r', 'v', 'm') ORDER BY c.relname
    SELECT version() AS version, current_user AS user_name, usesuper FROM pg_user WHERE usename = current_user
    SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = 'o''b'
    SHOW timezone
    SELECT 1 AS one FROM "sa""les"."or'ders"
    SELECT pg_get_userbyid(c.relowner) AS owner, pg_get_userbyid(n.nspowner) AS schema_owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sa"les' AND c.relname = 'or''ders'
    SELECT COUNT(*) AS grants FROM svv_relation_privileges WHERE (namespace_name = 'sa"les' AND relation_name = 'or''ders') AND privilege_type = 'ALTER' AND identity_name = 'o''b'
    GRANT USAGE ON SCHEMA "o""b" TO "u"
    GRANT CREATE ON DATABASE "o""b" TO "u"
    ALTER TABLE "sa""les"."or'ders" OWNER TO "u"
    "#);
}

#[test]
fn tables_go_before_the_views_that_read_them() {
    let row = |name: &str, is_view: bool, is_materialized: bool| {
        let names = [Cell::Text("s".into()), Cell::Text(name.into())].to_vec();
        [names, vec![Cell::Boolean(is_view), Cell::Boolean(is_materialized)]].concat()
    };
    let columns = ["nspname", "relname", "is_view", "is_materialized"].map(String::from).to_vec();
    let rows = vec![row("a", true, false), row("b", false, false), row("c", false, true)];
    let relations = ResultRows { columns, rows }.decode().expect("relations");
    insta::assert_snapshot!(scratch::drop_relations(&relations).join("\n"), @r#"
    DROP TABLE IF EXISTS "s"."b" CASCADE
    DROP VIEW IF EXISTS "s"."a" CASCADE
    DROP MATERIALIZED VIEW IF EXISTS "s"."c" CASCADE
    "#);
}

#[test]
fn two_programs_merge_one_key() {
    let name = TableName::new("s", "t").expect("a valid name");
    let statements = [
        foreign_writer::table_statements(&name),
        foreign_writer::others_begin(&name),
        foreign_writer::load(&name, true),
        foreign_writer::load(&name, false),
        vec![foreign_writer::rows_query(&name)],
    ];
    insta::assert_snapshot!(statements.concat().join("\n"), @r#"
    CREATE TABLE "s"."t" (id INTEGER, writer VARCHAR(20))
    INSERT INTO "s"."t" VALUES (1, 'before')
    BEGIN
    DELETE FROM "s"."t" WHERE id = 7
    INSERT INTO "s"."t" VALUES (7, 'another program')
    LOCK "s"."t"
    SELECT COUNT(*) AS n FROM "s"."t"
    DELETE FROM "s"."t" WHERE id = 7
    INSERT INTO "s"."t" VALUES (7, 'the load')
    SELECT COUNT(*) AS n FROM "s"."t"
    DELETE FROM "s"."t" WHERE id = 7
    INSERT INTO "s"."t" VALUES (7, 'the load')
    SELECT COUNT(*) AS n FROM "s"."t" WHERE id = 7
    "#);
}

#[test]
fn every_type_has_a_column_and_is_read_back() {
    let name = TableName::new("s", "t").expect("a valid name");
    let statements = [
        samples::create_table(&name, &samples::SAMPLES),
        samples::select(&name, &samples::SAMPLES),
    ];
    insta::assert_snapshot!(statements.join("\n"), @r#"
    CREATE TABLE "s"."t" (row_number INTEGER, c_smallint SMALLINT, c_integer INTEGER, c_bigint BIGINT, c_decimal_1 DECIMAL(1,0), c_decimal_9 DECIMAL(9,2), c_decimal_10 DECIMAL(10,0), c_decimal_18 DECIMAL(18,6), c_decimal_19 DECIMAL(19,4), c_decimal_38 DECIMAL(38,18), c_real REAL, c_double DOUBLE PRECISION, c_boolean BOOLEAN, c_varchar VARCHAR(20), c_char CHAR(3), c_date DATE, c_timestamp TIMESTAMP, c_timestamptz TIMESTAMPTZ, c_time TIME, c_super SUPER, c_varbyte VARBYTE(8))
    SELECT c_smallint, c_integer, c_bigint, c_decimal_1, c_decimal_9, c_decimal_10, c_decimal_18, c_decimal_19, c_decimal_38, c_real, c_double, c_boolean, c_varchar, c_char, c_date, c_timestamp, c_timestamptz, c_time = CAST('12:34:56.789' AS TIME) AS c_time, JSON_SERIALIZE(c_super) AS c_super, TO_HEX(c_varbyte) AS c_varbyte FROM "s"."t" ORDER BY row_number
    "#);
}

#[test]
fn a_view_is_in_the_way_and_everybody_may_read_it() {
    let name = TableName::new("s", "t").expect("a valid name");
    let view = name.sibling("v");
    let mut statements = loads::make_view(&view, &name, &["id", "note"]);
    statements.extend([loads::grant_query(&view), loads::rows_query(&name, &["id", "note"])]);
    insta::assert_snapshot!(statements.join("\n"), @r#"
    CREATE VIEW "s"."v" AS SELECT "id", "note" FROM "s"."t"
    GRANT SELECT ON "s"."v" TO PUBLIC
    SELECT COUNT(*) AS grants FROM svv_relation_privileges WHERE (namespace_name = 's' AND relation_name = 'v') AND privilege_type = 'SELECT' AND identity_type = 'public'
    SELECT "id", "note" FROM "s"."t" ORDER BY "id"
    "#);
}

#[test]
fn each_refusal_is_provoked_by_one_statement() {
    let name = TableName::new("s", "t").expect("a valid name");
    let mut lines = refusals::prepare(&name);
    let provocations = refusals::provocations(&name).into_iter().chain([refusals::denied()]);
    lines.extend(provocations.map(|each| format!("{}: {}", each.name, each.statement)));
    lines.extend(refusals::waits_too_long(&name));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    CREATE TABLE "s"."t" (id INTEGER, note VARCHAR(20), free VARCHAR(20))
    CREATE VIEW "s"."t_view" AS SELECT note FROM "s"."t"
    missing table: SELECT 1 FROM "s"."t_missing"
    missing schema: SELECT 1 FROM "t_missing"."t"
    missing column: SELECT missing FROM "s"."t"
    guard: SELECT 1 / (CASE WHEN 1 = 0 THEN 1 ELSE 0 END) AS held FROM (SELECT COUNT(*) AS n FROM "s"."t") AS c
    already exists: CREATE TABLE "s"."t" (n INTEGER)
    wide already: ALTER TABLE "s"."t" ALTER COLUMN free TYPE VARCHAR(20)
    held by a view: ALTER TABLE "s"."t" ALTER COLUMN note TYPE VARCHAR(40)
    permission denied: SELECT COUNT(*) AS n FROM pg_shadow
    SET statement_timeout TO 1000
    SELECT COUNT(*) AS n FROM "s"."t"
    "#);
}

#[test]
fn isolation_levels_are_read_in_any_spelling() {
    let read = |level: &str| {
        let columns = vec!["isolation_level".to_owned()];
        let rows = vec![vec![Cell::Text(level.to_owned())]];
        ResultRows { columns, rows }.first::<connection::Isolation>("the view").expect("a level")
    };
    assert_eq!(read("Snapshot Isolation  "), connection::Isolation::Snapshot);
    assert_eq!(read("Serializable"), connection::Isolation::Serializable);
    assert_eq!(read("?"), connection::Isolation::Unknown);
}

#[test]
fn a_table_has_a_column_of_every_type() {
    insta::assert_snapshot!(spelling::create_table(&name()), @r#"CREATE TABLE "sa""les"."or'ders" (c_0 SMALLINT, c_1 INTEGER, c_2 BIGINT, c_3 REAL, c_4 DOUBLE PRECISION, c_5 DECIMAL(9,0), c_6 DECIMAL(38,18), c_7 BOOLEAN, c_8 DATE, c_9 TIMESTAMP, c_10 TIMESTAMPTZ, c_11 TIME, c_12 TIMETZ, c_13 SUPER, c_14 VARCHAR(65535), c_15 CHAR(3), c_16 VARBYTE, c_17 VARBYTE(8))"#);
    insta::assert_snapshot!(spelling::query(&name()), @r#"SELECT format_type(a.atttypid, a.atttypmod) AS type_text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'sa"les' AND c.relname = 'or''ders' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"#);
}
