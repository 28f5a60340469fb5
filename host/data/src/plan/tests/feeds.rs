//! Files that may be none of the table's.

use loader_csv::FieldForm;

use super::*;

fn refused(csv: &str, existing: &[CatalogColumn], change: impl FnOnce(&mut Case<'_>)) -> String {
    let mut case = case(csv, existing);
    change(&mut case);
    let message = case.plan().map_or_else(|error| error.to_string(), |_| "fits".to_owned());
    message.split_once("); ").map_or(message.clone(), |(_, remedy)| remedy.to_owned())
}

#[test]
fn the_delimiter_that_gives_most_of_the_columns_is_named() {
    let existing = integers(&["a", "b", "c", "d"]);
    let of = |csv: &str| refused(csv, &existing, |_| ());
    insta::assert_snapshot!(of("a|b|c;d\n1\n"), @"with --delimiter '|' its columns are a, b, c;d");
    insta::assert_snapshot!(of("a;b|c;d\n1\n"), @"with --delimiter ';' its columns are a, b|c, d");
    insta::assert_snapshot!(of("\"a ; b\"\n1\n"), @"with --delimiter ';' its columns are a, b");
    insta::assert_snapshot!(of("a;a;a\n1\n"), @"check --source-file-name and --target-table, or give its columns the table's names with --column-names");
    let one = integers(&["a"]);
    insta::assert_snapshot!(refused("a;x\n1\n", &one, |_| ()), @"with --delimiter ';' its columns are a, x");
    insta::assert_snapshot!(of("x;y\n1\n"), @"check --source-file-name and --target-table, or give its columns the table's names with --column-names");
}

#[test]
fn a_remedy_fits_the_file() {
    let existing = integers(&["a", "b", "c", "d"]);
    let names: &[String] = Vec::leak(strings(&["a;b;c;d"]));
    let named = refused("x\n1\n", &existing, |case| case.column_names = Some(names));
    insta::assert_snapshot!(named, @"check --column-names and --target-table");
    let json = |case: &mut Case<'_>| case.dialect.field_form = FieldForm::Json;
    insta::assert_snapshot!(refused("a;b;c;d\n1\n", &existing, json), @"check --source-file-name and --target-table, or give its columns the table's names with `rename` in [columns]");
    let headerless = |case: &mut Case<'_>| case.dialect.header = false;
    insta::assert_snapshot!(refused("a;b;c;d\n", &existing, headerless), @"the file has no header and 1 columns, the table has 4 of its own; say with --column-names which they are");
}

#[test]
fn columns_that_redshift_numbers_do_not_count() {
    let mut existing = integers(&["a", "b", "n"]);
    existing[2].default = ColumnDefault::Identity { by_default: false };
    assert_eq!(refused("a,x\n1,1\n", &existing, |_| ()), "fits");
    existing[2].default = ColumnDefault::Identity { by_default: true };
    assert_ne!(refused("a,x\n1,1\n", &existing, |_| ()), "fits");
    existing.drain(..2);
    existing[0].default = ColumnDefault::Identity { by_default: false };
    insta::assert_snapshot!(refused("a;x\n1\n", &existing, |_| ()), @"check --source-file-name and --target-table, or give its columns the table's names with --column-names");
}
