//! Columns that the table does not have yet: their types, and why.

use loader_csv::{LogicalType, MomentForm, NumberForm, ValueForm};
use loader_model::column_type::UNTYPED;

use super::*;

/// What becomes of a new column with these values.
fn of_values(values: &[&str]) -> String {
    let rows: String = values.iter().map(|value| format!("{value},x\n")).collect();
    let told = told(&new_table(&format!("c,d\n{rows}")));
    let lines = told.lines().filter(|line| !line.starts_with("d "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_new_column_has_its_type_for_a_reason() {
    let long = "x".repeat(300);
    let digits = "9".repeat(39);
    let columns: [&[&str]; 21] = [
        &["true", "false"],
        &["-1", "40000"],
        &["3000000000"],
        &["99999999999999999999"],
        &["1.25", "-17.5"],
        &["12345678901234567.89", "0.5"],
        &["3.2e-45", "0.04"],
        &["3.2e-45", "12345678901234567.89"],
        &["2025-01-31"],
        &["2025-01-31 10:30:00"],
        &["abc"],
        &[&long],
        &[""],
        &["\"\""],
        &["007", "1"],
        &["+5", "1"],
        &["12E4", "1"],
        &[&digits],
        &["1", "n/a"],
        &["NaN", "0.5"],
        &["1e20", "0.5"],
    ];
    insta::assert_snapshot!(columns.map(of_values).join("\n\n"), @"
    c BOOLEAN: true and false alone

    c INTEGER: whole numbers from -1 to 40000

    c BIGINT: whole numbers from 3000000000 to 3000000000

    c DECIMAL(38,0): numbers of up to 20 digits before the point and 0 behind it

    c DOUBLE PRECISION: numbers of up to 2 digits before the point and 2 behind it

    c DECIMAL(38,18): numbers of up to 17 digits before the point and 2 behind it

    c DOUBLE PRECISION: line 2 has a number of which a DECIMAL would lose most digits
    column `c` is made DOUBLE PRECISION: line 2 has a number of which a DECIMAL would lose most digits

    c VARCHAR(256): line 3 has a number that neither a DECIMAL nor a float gives back
    column `c` is made VARCHAR(256): line 3 has a number that neither a DECIMAL nor a float gives back

    c DATE: dates

    c TIMESTAMP: dates with times

    c VARCHAR(256): line 2 is no number and no date

    c VARCHAR(1024): line 2 is no number and no date

    c VARCHAR(251): it has no value
    the file has no value in `c`, so nothing tells what they hold: they are made VARCHAR(251), and the first file with values in them decides their type

    c VARCHAR(256): it has no value

    c VARCHAR(256): line 2 has leading zeros, which a number would lose

    c VARCHAR(256): line 2 has a sign that a number would lose (`+5`, `-0`)

    c VARCHAR(256): line 2 has an exponent as part numbers have it (`12E4`; a number has `1.2e5`)

    c VARCHAR(256): line 2 has more digits than the 38 of a DECIMAL

    c VARCHAR(256): line 3 is no number and no date

    c DOUBLE PRECISION: numbers of up to 0 digits before the point and 1 behind it

    c DOUBLE PRECISION: numbers of up to 21 digits before the point and 1 behind it
    ");
}

#[test]
fn a_type_that_few_values_have_made_is_told() {
    let with_odd = |count: usize| {
        let values: Vec<&str> = std::iter::once("n/a").chain(vec!["1"; count]).collect();
        of_values(&values)
    };
    insta::assert_snapshot!(with_odd(99), @"c VARCHAR(256): line 2 is no number and no date");
    // `1-2` begins and ends as a number does, so it does not count as odd.
    let values: Vec<&str> = std::iter::once("1-2").chain(vec!["1"; 100]).collect();
    insta::assert_snapshot!(of_values(&values), @"c VARCHAR(256): line 2 is no number and no date");
    insta::assert_snapshot!(with_odd(100), @"
    c VARCHAR(256): line 2 is no number and no date
    column `c` is made VARCHAR(256): line 2 is no number and no date (1 of 101 values)
    ");
}

#[test]
fn a_new_key_has_no_null_and_keeps_its_spelling() {
    let keys = strings(&["k"]);
    let of_key = |csv: &str| told(&Case { keys: &keys, ..new_table(csv) });
    insta::assert_snapshot!(of_key("k,v\n1,1\n"), @"
    k INTEGER NOT NULL: whole numbers from 1 to 1
    v INTEGER: whole numbers from 1 to 1
    ");
    insta::assert_snapshot!(of_key("k,v\n3.1,3.1\n3.10,3.10\n"), @"
    k VARCHAR(256) NOT NULL: line 3 has a key that another text may equal as a number (`3.1`, `3.10`)
    v DOUBLE PRECISION: numbers of up to 1 digits before the point and 1 behind it
    ");
    insta::assert_snapshot!(of_key("k,v\n1.50,1.50\n"), @"
    k DECIMAL(38,18) NOT NULL: numbers of up to 1 digits before the point and 1 behind it
    v DOUBLE PRECISION: numbers of up to 1 digits before the point and 1 behind it
    ");
    insta::assert_snapshot!(of_key("k,v\n,\n"), @"
    k VARCHAR(251): it has no value
    v VARCHAR(251): it has no value
    the file has no value in `k`, `v`, so nothing tells what they hold: they are made VARCHAR(251), and the first file with values in them decides their type
    ");
    let plan = Case { keys: &keys, ..new_table("k,v\n1,1\n") }.plan().expect("fits");
    let required: Vec<_> =
        plan.rows.columns.iter().map(|column| (column.required, column.is_key)).collect();
    assert_eq!(required, [(true, true), (false, false)]);
    assert!(plan.creates_table);
}

#[test]
fn a_column_without_values_is_told_where_nothing_says_its_type() {
    insta::assert_snapshot!(told(&new_table("a,b,c\n,1,\n")), @"
    a VARCHAR(251): it has no value
    b INTEGER: whole numbers from 1 to 1
    c VARCHAR(251): it has no value
    the file has no value in `a`, `c`, so nothing tells what they hold: they are made VARCHAR(251), and the first file with values in them decides their type
    ");
    let of_form = |form| ColumnRule { form: Some(form), ..ColumnRule::default() };
    let (day, text) = (ValueForm::Date(MomentForm::default()), ValueForm::Text { max_bytes: None });
    let columns = [
        Some(ColumnSpec { rule: of_form(day), column_type: Some(ColumnType::Date), ..spec("a") }),
        Some(ColumnSpec { rule: of_form(text), ..spec("b") }),
        None,
    ];
    let meant = Meant::Type { logical: LogicalType::Text, decimal: None };
    let said =
        Case { columns: &columns, meant: &[None, None, Some(meant)], ..new_table("a,b,c\n,,\n") };
    insta::assert_snapshot!(told(&said), @"
    a DATE: the settings say so
    b VARCHAR(256): the settings say so
    c VARCHAR(256): the file says so
    ");
    let columns = [Some(ColumnSpec { column_type: Some(ColumnType::Super), ..spec("a") })];
    insta::assert_snapshot!(told(&Case { columns: &columns, ..new_table("a,b\n,x\n") }), @"
    a SUPER: it has no value
    b VARCHAR(256): line 2 is no number and no date
    ");
    let plan = new_table("a,b\n,1\n").plan().expect("fits");
    let of_length = |length: u32| plan.target_columns(&[length, 0])[0].column_type.clone();
    // A plugin may have made texts of it.
    assert_eq!([of_length(0), of_length(1)], [UNTYPED, ColumnType::Varchar { bytes: 256 }]);
}

#[test]
fn the_user_goes_before_the_file_and_the_file_before_the_values() {
    let whole = ColumnRule {
        form: Some(ValueForm::Whole { bits: 16, written: NumberForm::default() }),
        ..ColumnRule::default()
    };
    let text =
        ColumnRule { form: Some(ValueForm::Text { max_bytes: Some(7) }), ..ColumnRule::default() };
    let columns = [
        Some(ColumnSpec {
            rule: text,
            column_type: Some(ColumnType::Varchar { bytes: 7 }),
            ..spec("a")
        }),
        Some(ColumnSpec { rule: whole, column_type: Some(ColumnType::SmallInt), ..spec("b") }),
        Some(spec("c")),
        None,
        None,
    ];
    let of_file = |logical| Some(Meant::Type { logical, decimal: None });
    let meant = [None, None, of_file(LogicalType::Int64), of_file(LogicalType::Double), None];
    let types = [
        Some(ColumnType::BigInt),
        Some(ColumnType::BigInt),
        Some(ColumnType::BigInt),
        Some(ColumnType::Real),
    ];
    let case = Case {
        columns: &columns,
        meant: &meant,
        types: &types,
        ..new_table("a,b,c,d,e\n1,2,3,4,5\n")
    };
    insta::assert_snapshot!(told(&case), @"
    a VARCHAR(7): the settings say so
    b SMALLINT: the settings say so
    c BIGINT: the file says so
    d REAL: the file says so
    e INTEGER: whole numbers from 5 to 5
    ");
    let plan = case.plan().expect("fits");
    let most: Vec<u32> = plan.rows.columns.iter().map(|column| column.max_text_bytes).collect();
    assert_eq!(most, [7, 65535, 65535, 65535, 65535]);
    // A type that the user gives is not widened.
    let longer = plan.target_columns(&[300; 5]);
    assert_eq!(longer[0].column_type, ColumnType::Varchar { bytes: 7 });
}

#[test]
fn json_for_a_super_is_text_in_parquet_and_itself_in_csv() {
    let columns = [Some(ColumnSpec { column_type: Some(ColumnType::Super), ..spec("a") }), None];
    let landing = |staging_format| {
        let case = Case { columns: &columns, staging_format, ..new_table("a,b\n\"{}\",x\n") };
        let plan = case.plan().expect("fits");
        let of = |place: usize| {
            let column: &PlannedColumn = &plan.rows.columns[place];
            (column.staged_as_text, column.max_text_bytes)
        };
        assert!(matches!(plan.rows.decode_as[0], DecodeAs::Json));
        [of(0), of(1)]
    };
    assert_eq!(landing(StagingFormat::Parquet), [(true, 65535), (false, 65535)]);
    assert_eq!(landing(StagingFormat::Csv), [(false, 16_000_000), (false, 65535)]);
}

#[test]
fn strings_among_other_values_are_told() {
    let mixed = [Some("line 2 has a string".to_owned()), Some("line 3".to_owned()), None];
    let of = |csv: &str| told(&Case { mixed: &mixed, ..new_table(csv) });
    insta::assert_snapshot!(of("a,b,c\nx,1,x\n"), @"
    a VARCHAR(256): line 2 is no number and no date
    b INTEGER: whole numbers from 1 to 1
    c VARCHAR(256): line 2 is no number and no date
    column `a` is made VARCHAR(256): the file has strings and other values in it: line 2 has a string
    ");
    let existing = [column("a", ColumnType::Varchar { bytes: 20 })];
    assert_eq!(told(&Case { mixed: &mixed, ..case("a\nx\n", &existing) }), "a VARCHAR(20)");
}

#[test]
fn only_evolve_makes_a_table() {
    for schema_policy in [SchemaPolicy::Freeze, SchemaPolicy::DiscardColumns] {
        let refused = Case { schema_policy, ..new_table("a\n1\n") }.error();
        assert_eq!(
            refused,
            "SchemaConflict: there is no table public.t, and only --schema-policy evolve makes one"
        );
    }
}

#[test]
fn a_table_is_made_with_all_columns_that_a_file_may_have() {
    let names: Vec<String> = (0..1599).map(|n| format!("c{n}")).collect();
    let csv = format!("{}\n{}\n", names.join(","), vec!["1"; 1599].join(","));
    assert_eq!(new_table(&csv).plan().expect("fits").rows.columns.len(), 1599);
}
