//! Keys that would be rounded, spelt anew, or are spelt in several ways.

use loader_csv::{MomentForm, NumberForm, ValueForm};

use super::*;

/// What becomes of a file with these keys, where the table's column has this type.
fn keyed(values: &[&str], column_type: ColumnType) -> String {
    let (existing, keys) = ([column("k", column_type), column("v", VARCHAR)], strings(&["k"]));
    let csv = file(values);
    let error = Case { keys: &keys, ..case(&csv, &existing) }.plan().err();
    error.map_or("fits".to_owned(), |error| format!("{:?}: {error}", error.kind()))
}

fn file(values: &[&str]) -> String {
    let rows: String = values.iter().map(|value| format!("{value},x\n")).collect();
    format!("k,v\n{rows}")
}

const VARCHAR: ColumnType = ColumnType::Varchar { bytes: 256 };

#[test]
fn a_key_keeps_all_its_digits() {
    let decimal = || ColumnType::Decimal { precision: 12, scale: 2 };
    assert_eq!(keyed(&["1.25", "2"], decimal()), "fits");
    insta::assert_snapshot!(keyed(&["1.25", "1.255"], decimal()), @"SchemaConflict: upsert key `k` is DECIMAL(12,2), which would round the key in line 3, byte 11, and rounded keys may become one; give the column a type that holds all digits, or correct the file");
    assert_eq!(keyed(&["0.1", "1e300"], ColumnType::Double), "fits");
    insta::assert_snapshot!(keyed(&["0.1", "12345678901234567.89"], ColumnType::Double), @"SchemaConflict: upsert key `k` is DOUBLE PRECISION, which would round the key in line 3, byte 10, and rounded keys may become one; give the column a type that holds all digits, or correct the file");
    assert_eq!(keyed(&["1", "1234.56"], ColumnType::Real), "fits");
    insta::assert_snapshot!(keyed(&["1", "12345.67"], ColumnType::Real), @"SchemaConflict: upsert key `k` is REAL, which would round the key in line 3, byte 8, and rounded keys may become one; give the column a type that holds all digits, or correct the file");
    insta::assert_snapshot!(keyed(&["1", "1234567"], ColumnType::Real), @"SchemaConflict: upsert key `k` is REAL, which would round the key in line 3, byte 8, and rounded keys may become one; give the column a type that holds all digits, or correct the file");
    let moments = ["2025-01-31 10:30:00", "2025-01-31 10:30:00.123456"];
    assert_eq!(keyed(&moments, ColumnType::Timestamp), "fits");
    let moments = ["2025-01-31 10:30:00", "2025-01-31 10:30:00.1234567"];
    insta::assert_snapshot!(keyed(&moments, ColumnType::Timestamp), @"SchemaConflict: upsert key `k` is TIMESTAMP, which would round the key in line 3, byte 26, and rounded keys may become one; give the column a type that holds all digits, or correct the file");
    assert_eq!(keyed(&moments, VARCHAR), "fits");
}

#[test]
fn a_column_that_is_no_key_may_be_rounded() {
    let existing = [column("k", ColumnType::Integer), column("v", ColumnType::Real)];
    let keys = strings(&["k"]);
    let case = Case { keys: &keys, ..case("k,v\n1,1234.5678\n", &existing) };
    assert_eq!(case.plan().expect("fits").keys, ["k"]);
}

#[test]
fn a_new_key_keeps_the_digits_of_the_type_that_the_user_gives() {
    let of_scale = |scale: i8| {
        let column_type = Some(ColumnType::Decimal { precision: 12, scale });
        let (columns, keys) = ([Some(ColumnSpec { column_type, ..spec("k") })], strings(&["k"]));
        told(&Case { keys: &keys, columns: &columns, ..new_table("k,v\n1.25,x\n") })
    };
    insta::assert_snapshot!(of_scale(2), @"
    k DECIMAL(12,2) NOT NULL: numbers of up to 1 digits before the point and 2 behind it
    v VARCHAR(256): line 2 is no number and no date
    ");
    insta::assert_snapshot!(of_scale(1), @"SchemaConflict: upsert key `k` is DECIMAL(12,1), which would round the key in line 2, byte 4, and rounded keys may become one; give the column a type that holds all digits, or correct the file");
}

#[test]
fn text_keys_of_a_table_are_not_spelt_anew() {
    let spelt = |column_type: ColumnType, form: Option<ValueForm>| {
        let existing = [column("k", column_type), column("v", VARCHAR)];
        let rule = ColumnRule { form, ..ColumnRule::default() };
        let (columns, keys) = ([Some(ColumnSpec { rule, ..spec("k") })], strings(&["k"]));
        let case = Case { keys: &keys, columns: &columns, ..case("k,v\n007,x\n", &existing) };
        case.plan().map_or_else(|error| format!("{:?}: {error}", error.kind()), |_| "fits".into())
    };
    let whole = || Some(ValueForm::Whole { bits: 32, written: NumberForm::default() });
    insta::assert_snapshot!(spelt(VARCHAR, whole()), @"Config: upsert key `k` is VARCHAR(256) in the table, and --column k would spell its values anew, so rows would be added twice; leave the type away, or give the type text");
    insta::assert_snapshot!(spelt(ColumnType::Char { bytes: 3 }, whole()), @"Config: upsert key `k` is CHAR(3) in the table, and --column k would spell its values anew, so rows would be added twice; leave the type away, or give the type text");
    assert_eq!(spelt(VARCHAR, Some(ValueForm::Text { max_bytes: None })), "fits");
    assert_eq!(spelt(VARCHAR, None), "fits");
    assert_eq!(spelt(ColumnType::Integer, whole()), "fits");
}

#[test]
fn keys_that_are_spelt_in_several_ways_are_told_where_rows_are_lost() {
    let told = |values: &[&str], column_type: ColumnType| {
        let existing = [column("k", column_type), column("v", VARCHAR)];
        let (csv, keys) = (file(values), strings(&["k"]));
        let plan = Case { keys: &keys, ..case(&csv, &existing) }.plan().expect("fits");
        plan.notices_of_duplicates.join("\n")
    };
    let decimal = || ColumnType::Decimal { precision: 12, scale: 2 };
    insta::assert_snapshot!(told(&["3.1", "3.10"], decimal()), @"rows lost to another row of their key, and the numbers in `k` are spelt in more than one way, such as in line 3: in DECIMAL(12,2) `3.1` and `3.10` are one key");
    assert_eq!(told(&["3.10", "3.20"], decimal()), "");
    assert_eq!(told(&["3.1", "3.10"], VARCHAR), "");
    assert_eq!(told(&["3.1", "3.10"], ColumnType::Char { bytes: 4 }), "");
}

#[test]
fn a_key_is_no_text_that_the_warehouse_reads() {
    let keys = strings(&["k"]);
    let text = ValueForm::Text { max_bytes: None };
    let zoned = ValueForm::TimestampTz(MomentForm::default());
    for (column_type, form) in [(ColumnType::Super, text), (ColumnType::TimestampTz, zoned)] {
        let existing = [column("k", column_type.clone()), column("v", VARCHAR)];
        let csv = file(&["2025-01-31 10:30:00"]);
        let refused = Case { keys: &keys, ..case(&csv, &existing) }.error();
        let fact = format!(
            "upsert key `k` is {column_type}, whose values are not told apart by their text"
        );
        assert!(refused.contains(&fact), "{refused}");
        let rule = ColumnRule { form: Some(form), ..ColumnRule::default() };
        let columns = [Some(ColumnSpec { column_type: Some(column_type), rule, ..spec("k") })];
        let new = told(&Case { keys: &keys, columns: &columns, ..new_table(&csv) });
        assert!(new.starts_with("Config: upsert key `k` is to be of the type "), "{new}");
    }
}

#[test]
fn a_key_in_another_spelling_is_the_column_of_the_table() {
    let existing = [column("order id", ColumnType::Integer), column("v", VARCHAR)];
    let keys = strings(&["order_id"]);
    let plan = Case { keys: &keys, ..case("Order ID,v\n1,x\n", &existing) }.plan().expect("fits");
    let is_key: Vec<bool> = plan.rows.columns.iter().map(|column| column.is_key).collect();
    assert_eq!(is_key, [true, false]);
}
