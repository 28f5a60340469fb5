//! Columns of the table that had no value before this file.

use loader_model::column_type::UNTYPED;

use super::*;

fn table() -> [CatalogColumn; 4] {
    [
        column("id", ColumnType::Integer),
        column("paid_on", UNTYPED),
        column("note", UNTYPED),
        column("lacking", UNTYPED),
    ]
}

#[test]
fn a_column_gets_its_type_from_the_first_file_with_values_in_it() {
    let (existing, without) = (table(), strings(&["paid_on", "note", "lacking"]));
    let csv = "id,paid_on,note\n1,2025-01-31,abc\n";
    let evolve = Case { without_values: &without, ..case(csv, &existing) };
    insta::assert_snapshot!(told(&evolve), @"
    id INTEGER
    paid_on DATE: dates
    note VARCHAR(251)
    ");
    let plan = evolve.plan().expect("fits");
    assert_eq!(plan.typed, ["paid_on"]);
    // The plan is right only while these have no value.
    let asked = strings(&["id", "paid_on", "note", "lacking"]);
    assert_eq!(plan.relied_on(&asked), ["paid_on", "lacking"]);
    assert_eq!(plan.filled[0].fill, Fill::Literal("NULL"));
    let freeze = Case {
        schema_policy: SchemaPolicy::Freeze,
        without_values: &without,
        ..case(csv, &existing)
    };
    insta::assert_snapshot!(told(&freeze), @"
    id INTEGER
    paid_on VARCHAR(251)
    note VARCHAR(251)
    ");
    assert_eq!(freeze.plan().expect("fits").typed, Vec::<String>::new());
    let has_values = case(csv, &existing).plan().expect("fits");
    assert_eq!(has_values.typed, Vec::<String>::new());
    assert_eq!(has_values.relied_on(&asked), ["lacking"]);
}

#[test]
fn a_column_of_which_the_file_has_no_value_either_stays_as_it_is() {
    let (existing, without) = (table(), strings(&["paid_on", "note"]));
    let file = case("id,paid_on,note\n1,,\n", &existing);
    insta::assert_snapshot!(told(&Case { without_values: &without, ..file }), @"
    id INTEGER
    paid_on VARCHAR(251)
    note VARCHAR(251)
    ");
}

#[test]
fn a_key_gets_its_type_as_a_key() {
    let (existing, without) = (table(), strings(&["paid_on", "note"]));
    let keys = strings(&["note"]);
    let of = |csv| told(&Case { without_values: &without, keys: &keys, ..case(csv, &existing) });
    insta::assert_snapshot!(of("id,paid_on,note\n1,3.1,3.1\n1,3.10,3.10\n"), @"
    id INTEGER
    paid_on DOUBLE PRECISION: numbers of up to 1 digits before the point and 1 behind it
    note VARCHAR(251)
    ");
    insta::assert_snapshot!(of("id,paid_on,note\n1,1.50,1.50\n"), @"
    id INTEGER
    paid_on DOUBLE PRECISION: numbers of up to 1 digits before the point and 1 behind it
    note DECIMAL(38,18): numbers of up to 1 digits before the point and 1 behind it
    ");
}

#[test]
fn a_table_that_is_new_has_no_such_columns() {
    let without = strings(&["a"]);
    let plan = Case { without_values: &without, ..new_table("a\nx\n") }.plan().expect("fits");
    assert_eq!(plan.typed, Vec::<String>::new());
}
