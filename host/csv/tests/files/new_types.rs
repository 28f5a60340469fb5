//! Which type a new column gets: the table of rules, value by value.

use loader_csv::{ColumnProfile, Dialect, FileProfile, Header, LogicalType, Meant, profile_chunk};

use crate::cases::read_all;

/// The type of a column of these values, as `decimal(38,18)` or `text: line 3 Respelt 1`.
fn new_type(values: &[&str], is_key: bool) -> String {
    type_of(&profile(values, None), is_key)
}

/// The profile of a column of these values, of which the file says something by itself.
fn profile(values: &[&str], meant: Option<Meant>) -> ColumnProfile {
    let rows: String = values.iter().map(|value| format!("{value},\n")).collect();
    let file = format!("v,w\n{rows}");
    let dialect = Dialect::default();
    let read = read_all(&file, &dialect).expect("a good file");
    let header = Header::of_columns(read.header.names.clone(), vec![meant]);
    let chunks = read.chunks.iter().map(|chunk| {
        let bytes = &file.as_bytes()[chunk.offset as usize..(chunk.offset + chunk.len) as usize];
        profile_chunk(bytes, chunk, &header, &dialect)
    });
    FileProfile::merge(&header, chunks).expect("a good file").columns.swap_remove(0)
}

fn type_of(column: &ColumnProfile, is_key: bool) -> String {
    let new = column.new_type(is_key);
    let decimal = new.decimal.map_or(String::new(), |(p, s)| format!("({p},{s})"));
    let because = new.because.map_or(String::new(), |because| {
        let count = because.count.map_or(String::new(), |count| format!(" {count}"));
        format!(": line {} {:?}{count}", because.at.line, because.cause)
    });
    format!("{}{decimal}{because}", new.logical)
}

fn check(is_key: bool, rules: &[(&[&str], &str)]) {
    for (values, expected) in rules {
        assert_eq!(new_type(values, is_key), *expected, "{values:?}");
    }
}

#[test]
fn whole_numbers_are_numbers_when_they_are_given_back() {
    let past_38_digits = "9".repeat(39);
    check(
        false,
        &[
            (&["1", "-5", "0"], "int32"),
            (&["3000000000"], "int64"),
            (&["9223372036854775807"], "int64"),
            (&["9223372036854775808", "1"], "decimal(38,0)"),
            (&["90000000000000000000", "90000000000000000001"], "decimal(38,0)"),
            (&["1", &past_38_digits], "text: line 3 TooManyDigits"),
            (&["1", "+12025550100", "+5"], "text: line 3 Respelt 2"),
            (&["0", "-0"], "text: line 3 Respelt 1"),
            (&["10001", "02139"], "text: line 3 LeadingZeros 1"),
            (&["1", "2", "n/a"], "text: line 4 Odd 1"),
            (&["1", "2", "12 kg"], "text: line 4 Odd 1"),
            (&["1", "2", "A7"], "text: line 4 Odd 1"),
            (&["10001", "02139", "10002", "00001"], "text: line 3 LeadingZeros 2"),
            (&["2024-01-01", "2024-01-02", "n/a"], "text: line 4 Odd 1"),
        ],
    );
}

#[test]
fn numbers_with_a_fraction_keep_their_digits() {
    check(
        false,
        &[
            (&["1.5", "+2", "-0.0", ".5"], "decimal(38,18)"),
            (&["1e-7", "2"], "decimal(38,18)"),
            (&["1.2E4"], "decimal(38,18)"),
            (&["12E4", "7E1", "90210"], "text: line 2 Exponents 2"),
            (&["1012.3", "1e3", "998"], "decimal(38,18)"),
            // Rounded at the 18th digit, and twelve digits of it stay.
            (&["0.0000001234567890123456789"], "decimal(38,18)"),
            // Four of its six digits would stay.
            (&["1", "0.00000000000000123456789"], "double: line 3 Vanishing"),
            (&["1e-15"], "decimal(38,18)"),
            (&["3.2e-45", "0.04"], "double: line 2 Vanishing"),
            (&["0.5", "1e-400"], "text: line 3 PastFloats"),
            (&["3.2e-45", "12345678901234567.89"], "text: line 3 PastFloats"),
            (&["19.99", "1234567890123456789012"], "decimal(38,16)"),
            (&["0.5", "1.5e40"], "double: line 3 TooManyDigits"),
            (&["0.5", "NaN"], "decimal(38,18)"),
            (&["1", "NaN"], "decimal(38,18)"),
            // The digits that count begin behind the zeros.
            (&["1", "0.00000000000000123456"], "double: line 3 Vanishing"),
            (&["1", "0.00000000000000123456", "1e-25", "1e-25"], "double: line 4 Vanishing"),
            // Two digits behind the point are left beside 36 before it.
            (&["1e35", "1234567.1234567"], "decimal(38,2)"),
            (&["1e35", "1234567.1234567", "0.1234"], "double: line 4 Vanishing"),
            (&["1e35", "123.12345"], "double: line 3 Vanishing"),
            (&["1e37", "0.5"], "double: line 3 Vanishing"),
        ],
    );
}

#[test]
fn keys_are_numbers_only_where_no_two_become_one() {
    check(
        true,
        &[
            (&["1", "2"], "int32"),
            (&["90000000000000000000"], "decimal(38,0)"),
            (&["1.50", "2.00", "-0.25"], "decimal(38,18)"),
            (&["3.1", "3.10"], "text: line 3 Key"),
            (&["1.5", "2"], "text: line 2 Key"),
            (&["+1.5", "1.5"], "text: line 2 Key"),
            (&["0.0", "-0.0"], "text: line 3 Key"),
            (&["1.5e3", "1.5"], "text: line 2 Key"),
            (&["1.5", "NaN"], "text: line 3 Key"),
            (&["0.1234567890123456781", "0.1234567890123456782"], "decimal(38,19)"),
            (&["1234567890123456789012.5"], "decimal(38,16)"),
            (&["3.2e-45"], "text: line 2 Key"),
            (&[".5", "1.5"], "text: line 2 Key"),
            (&["0.1234567890123456789012"], "decimal(38,22)"),
            (&["12345678901234567890.123456789012345678"], "decimal(38,18)"),
            (&["12345678901234567890.1234567890123456789"], "text: line 2 Key"),
        ],
    );
}

#[test]
fn odd_values_are_counted_over_the_whole_column() {
    let values: Vec<String> =
        (0..150).map(|n| if n == 70 { "x".into() } else { n.to_string() }).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    assert_eq!(new_type(&values, false), "text: line 72 Odd 1");
}

#[test]
fn what_the_file_says_of_its_values_goes_before_what_they_look_like() {
    let told = |values: &[&str], meant| {
        let column = profile(values, Some(meant));
        assert_eq!(column.is_typed(), matches!(meant, Meant::Type { .. }));
        type_of(&column, false)
    };
    let typed = |logical| Meant::Type { logical, decimal: None };
    assert_eq!(told(&["1"], typed(LogicalType::Double)), "double");
    let decimal = Meant::Type { logical: LogicalType::Decimal, decimal: Some((9, 2)) };
    assert_eq!(told(&["1"], decimal), "decimal(9,2)");
    // A value may be past what the type holds.
    assert_eq!(told(&["12000-01-01"], typed(LogicalType::Date)), "text: line 2 Odd 0");
    assert_eq!(told(&["12"], Meant::Strings), "text");
    assert_eq!(told(&["2024-01-31"], Meant::Strings), "date");
    assert_eq!(told(&[""], Meant::Strings), "text");
    assert_eq!(told(&["12E4"], Meant::Numbers), "decimal(38,18)");
    assert_eq!(told(&["1", "-0"], Meant::Numbers), "int32");
    assert!(!profile(&["1"], None).is_typed());
    let is_given = |meant| profile(&["1"], Some(meant)).new_type(false).is_given;
    assert_eq!([is_given(decimal), is_given(Meant::Numbers)], [true, false]);
}
