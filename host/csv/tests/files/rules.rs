//! Columns of which the user has said something.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use loader_csv::{
    ColumnRule, DecodeAs, Dialect, LogicalType, MomentForm, NumberForm, RefusedBecause, ValueForm,
};
use proptest::prelude::*;

use crate::read_ruled;

fn of_form(form: ValueForm) -> ColumnRule {
    ColumnRule { form: Some(form), ..ColumnRule::default() }
}

fn german() -> NumberForm {
    NumberForm { decimal_mark: ',', thousands: Some('.'), ..NumberForm::default() }
}

/// The texts of the first column, and the refused rows with their reasons; all counted over the
/// whole file.
fn texts(
    file: &str,
    rule: &ColumnRule,
    (target, piece, batch_rows): (u64, usize, usize),
) -> (Vec<Option<String>>, Vec<(usize, RefusedBecause)>) {
    let dialect = Dialect::default();
    let rules = [Some(rule.clone())];
    let read = read_ruled(file.as_bytes(), &dialect, target, piece, &rules).expect("reads");
    let as_types = [DecodeAs::Text, DecodeAs::Text];
    let (mut texts, mut refused) = (Vec::new(), Vec::new());
    for decoded in read.decoded(&as_types, batch_rows).expect("decodes") {
        let before = texts.len();
        refused.extend(decoded.refused.iter().map(|field| {
            assert_eq!(field.column, 0);
            (before + field.row, field.because)
        }));
        texts.extend(decoded.batch.column(0).as_string::<i32>().iter().map(|t| t.map(Into::into)));
        assert_eq!(decoded.batch.column(1).null_count(), 0);
    }
    let profile = &read.profile.columns[0];
    let of_values = profile.values + profile.nulls + profile.quoted_empty;
    let is_not = refused.iter().filter(|(_, because)| *because == RefusedBecause::IsNot).count();
    assert_eq!(of_values + is_not as u64, read.profile.records);
    (texts, refused)
}

#[test]
fn the_profile_is_that_of_the_values() {
    let dialect = Dialect::default();
    let file = "n,zip,plain\n1.234,01067,1.234\n-7,99999,x\nx,00001,2\n";
    let whole = of_form(ValueForm::Whole { bits: 32, written: german() });
    let rules = [Some(whole), Some(of_form(ValueForm::Text { max_bytes: None }))];
    let read = read_ruled(file.as_bytes(), &dialect, 1 << 20, 7, &rules).expect("reads");
    let [n, zip, plain] = &read.profile.columns[..] else { panic!("three columns") };
    assert_eq!((n.values, n.min_int, n.max_int), (2, Some(-7), Some(1234)));
    assert_eq!((n.new_type(true).logical, n.is_given()), (LogicalType::Int32, true));
    assert_eq!((zip.logical(), zip.is_given()), (LogicalType::Text, true));
    assert_eq!((plain.logical(), plain.is_given()), (LogicalType::Text, false));
}

#[test]
fn null_texts_are_those_of_the_column() {
    let rule = ColumnRule {
        nulls: Some(vec!["-".to_owned(), "n/a".to_owned()]),
        quoted_nulls: true,
        trim: true,
        required: true,
        ..ColumnRule::default()
    };
    let file = "a,b\n-,1\n n/a ,1\n\"-\",1\n\" \",1\n  ,1\n\"\",1\n x y ,1\n--,1\n";
    let (texts, refused) = texts(file, &rule, (1 << 20, 5, 3));
    let null = None::<&str>;
    let found: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    assert_eq!(found, [null, null, null, Some(""), null, Some(""), Some("x y"), Some("--")]);
    let rows: Vec<usize> = refused.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [0, 1, 2, 4]);
    assert!(refused.iter().all(|(_, because)| *because == RefusedBecause::Null));
}

#[test]
fn the_empty_text_in_quotes_can_be_null() {
    let nulls = Some(vec![String::new()]);
    let rule = ColumnRule { nulls, quoted_nulls: true, ..ColumnRule::default() };
    let (texts, refused) = texts("a,b\n\"\",1\n\" \",1\n,1\n", &rule, (1 << 20, 5, 3));
    assert_eq!(texts, [None, Some(" ".to_owned()), None]);
    assert_eq!(refused, []);
}

/// A batch may have rows of several blocks, of 512 rows at most.
#[test]
fn a_refused_row_is_counted_from_the_start_of_its_batch() {
    let rows: String = (0..1500).map(|n| if n == 700 { "x,1\n" } else { "7,1\n" }).collect();
    let whole = ValueForm::Whole { bits: 64, written: NumberForm::default() };
    let (_, refused) = texts(&format!("a,b\n{rows}"), &of_form(whole), (1 << 20, 4096, 1500));
    assert_eq!(refused, [(700, RefusedBecause::IsNot)]);
}

#[test]
fn an_empty_text_is_null_for_a_number_that_is_required() {
    let whole = ValueForm::Whole { bits: 64, written: NumberForm::default() };
    let rule = ColumnRule { required: true, ..of_form(whole) };
    let (file, dialect) = ("a,b\n\"\",1\n7,1\n", Dialect::default());
    let read = read_ruled(file.as_bytes(), &dialect, 1 << 20, 9, &[Some(rule)]).expect("reads");
    let decoded = read.decoded(&[DecodeAs::Int64, DecodeAs::Int64], 10).expect("decodes");
    let refused: Vec<_> =
        decoded[0].refused.iter().map(|field| (field.row, field.because)).collect();
    assert_eq!(refused, [(0, RefusedBecause::Null)]);
}

/// A field, and what becomes of it: the number that it says, or nothing.
fn fields() -> impl Strategy<Value = (String, Option<String>)> {
    let number = (any::<i32>(), proptest::option::of(0u32..1000), any::<bool>());
    let number = number.prop_map(|(whole, fraction, groups)| {
        let size = i64::from(whole).unsigned_abs().to_string();
        let (sign, digits) = (if whole < 0 { "-" } else { "" }, size.as_bytes());
        let grouped: Vec<&str> = digits
            .rchunks(3)
            .rev()
            .map(|group| std::str::from_utf8(group).expect("digits"))
            .collect();
        let shown = if groups { grouped.join(".") } else { size.clone() };
        let fraction = fraction.map(|fraction| format!("{fraction:03}"));
        let with = |mark: &str| fraction.as_ref().map_or(String::new(), |f| format!("{mark}{f}"));
        (format!("\"{sign}{shown}{}\"", with(",")), Some(format!("{sign}{size}{}", with("."))))
    });
    let other =
        proptest::sample::select(vec!["1,234.5", "1.23", "x", "1.2.3", "--1", "31.01.2024"]);
    prop_oneof![4 => number, 1 => other.prop_map(|text| (format!("\"{text}\""), None))]
}

proptest! {
    /// Numbers come out as they were meant wherever the file is cut, and all else is refused.
    #[test]
    fn numbers_are_read_as_they_were_meant(
        fields in proptest::collection::vec(fields(), 1..80),
        cuts in (1u64..200, 1usize..100, 1usize..20),
    ) {
        let rows: String = fields.iter().map(|(field, _)| format!("{field},x\n")).collect();
        let form = ValueForm::Decimal { precision: 38, scale: 3, written: german() };
        let (found, refused) = texts(&format!("a,b\n{rows}"), &of_form(form), cuts);
        let expected: Vec<Option<String>> = fields.iter().map(|(_, value)| value.clone()).collect();
        prop_assert_eq!(found, expected);
        let not_numbers = fields.iter().enumerate().filter(|(_, (_, value))| value.is_none());
        let not_numbers = not_numbers.map(|(row, _)| (row, RefusedBecause::IsNot));
        prop_assert_eq!(refused, not_numbers.collect::<Vec<_>>());
    }

    /// A day that is written in a form comes back as that day.
    #[test]
    fn days_are_read_as_they_were_meant(
        days in proptest::collection::vec(-25_000i32..60_000, 1..20),
        pattern in proptest::sample::select(vec!["%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%d %B %Y"]),
    ) {
        let form = MomentForm::new(&[pattern.to_owned()]).expect("a pattern");
        let written = |days: &i32| {
            let date = jiff::civil::date(1970, 1, 1)
                .checked_add(jiff::Span::new().days(*days))
                .expect("a day");
            format!("{},x\n", jiff::fmt::strtime::format(pattern, date).expect("is written"))
        };
        let rows: String = days.iter().map(written).collect();
        let (found, refused) =
            texts(&format!("a,b\n{rows}"), &of_form(ValueForm::Date(form)), (50, 30, 7));
        let expected: Vec<Option<String>> =
            days.iter().map(|days| Some(loader_values::format_date(*days))).collect();
        prop_assert_eq!((found, refused), (expected, Vec::new()));
    }
}
