//! The names of the columns: those that the user gives, and those that the table has.

use super::*;

fn names(case: &Case<'_>) -> String {
    let names = |plan: LoadPlan| {
        let names: Vec<String> = plan.rows.columns.into_iter().map(|column| column.name).collect();
        names.join(",")
    };
    case.plan().map_or_else(|error| format!("{:?}: {error}", error.kind()), names)
}

#[test]
fn given_names_take_the_place_of_the_headers() {
    let existing = integers(&["id", "n"]);
    let named = |given: &[&str]| {
        let given = strings(given);
        names(&Case { column_names: Some(&given), ..case("x,y\n1,2\n", &existing) })
    };
    assert_eq!(named(&["n", "id"]), "n,id");
    insta::assert_snapshot!(named(&["id"]), @"Config: --column-names has 1 names, the file has 2 columns: x, y");
    insta::assert_snapshot!(named(&["a", "b"]), @"SchemaConflict: the file does not belong to public.t: it lacks 2 of the table's 2 columns (id, n) and has 2 that the table lacks (a, b); check --column-names and --target-table");
}

#[test]
fn a_column_is_renamed_to_what_no_other_column_has() {
    let renamed = |csv: &str, to: &str| {
        let columns = [Some(ColumnSpec { rename: Some(to.to_owned()), ..spec("x") }), None];
        names(&Case { columns: &columns, ..new_table(csv) })
    };
    assert_eq!(renamed("x,id\n1,2\n", "n"), "n,id");
    assert_eq!(renamed("x,id\n1,2\n", "X"), "x,id");
    insta::assert_snapshot!(renamed("x,id\n1,2\n", "ID"), @"Config: --column x renames a column to `ID`, and another column of the file has that name; give it another one");
    // A name that the file has twice is refused as a header, and not as a new name.
    let columns = [None, None, Some(ColumnSpec { rename: Some("n".to_owned()), ..spec("x") })];
    insta::assert_snapshot!(names(&Case { columns: &columns, ..new_table("a,a,x\n1,2,3\n") }), @r#"Data: header "a" (column 2) has the name a, as header "a" (column 1) has; name the columns with --column-names, or correct the header in the file"#);
}

#[test]
fn settings_of_a_column_that_only_the_table_names_are_refused() {
    let existing = integers(&["id", "n"]);
    let dialect = Dialect { header: false, ..Dialect::default() };
    let named = |name: &str| {
        let source = SpecSource::AllTables(format!("columns.{name}"));
        let unplaced = [ColumnSpec { source, ..spec(name) }];
        let dialect = dialect.clone();
        names(&Case { unplaced: &unplaced, dialect, ..case("1,2\n", &existing) })
    };
    assert_eq!(named("m"), "id,n");
    insta::assert_snapshot!(named("N"), @r#"Config: columns.N says how a column is read, and the file has no header that names it; name the columns with --column-names '["id","n"]'"#);
}

#[test]
fn a_column_that_the_glue_job_named_is_told() {
    let existing = integers(&["id", "gr_e"]);
    insta::assert_snapshot!(told(&case("id,Größe\n1,2\n", &existing)), @r#"
    id INTEGER
    gr_e INTEGER
    the column `größe` of the file is loaded into `gr_e`, which the Glue job made of such a header; ALTER TABLE … RENAME COLUMN "gr_e" TO "größe" ends this notice
    "#);
}
