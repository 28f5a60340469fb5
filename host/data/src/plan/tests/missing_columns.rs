//! Columns of the table that the file lacks, and that take no NULL.

use super::*;

fn filled(column: CatalogColumn, missing_columns: MissingColumns, keeps_known: bool) -> String {
    let existing = [super::column("a", ColumnType::Integer), column];
    let case = Case { missing_columns, keeps_known, ..case("a\n1\n", &existing) };
    match case.plan() {
        Ok(plan) => format!("{:?}", plan.filled[0].fill),
        Err(error) => format!("{:?}", error.kind()),
    }
}

#[test]
fn a_default_stands_in_for_a_null_that_the_column_does_not_take() {
    let default = ColumnDefault::Expression("5".into());
    let column = CatalogColumn { default, ..column("n", ColumnType::Integer) };
    let not_null = CatalogColumn { nullable: false, ..column.clone() };
    assert_eq!(filled(column, MissingColumns::Null, false), r#"Literal("NULL")"#);
    assert_eq!(filled(not_null, MissingColumns::Null, false), "Default");
}

#[test]
fn nothing_fills_a_column_only_where_rows_keep_what_they_have() {
    let day = CatalogColumn { nullable: false, ..column("day", ColumnType::Date) };
    assert_eq!(filled(day.clone(), MissingColumns::Keep, true), "Nothing");
    assert_eq!(filled(day, MissingColumns::Keep, false), "SchemaConflict");
}
