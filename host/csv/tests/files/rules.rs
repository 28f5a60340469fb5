//! Columns of which the user has said something.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use loader_csv::{
    ColumnRule, DecodeAs, Dialect, LogicalType, MomentForm, NumberForm, Percent, RefusedBecause,
    ValueForm,
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

#[test]
fn blanks_and_quotes_say_what_they_say_everywhere() {
    let nulls = || Some(vec!["n/a".to_owned()]);
    let file = "a,b\nn/a,1\n\"n/a\",1\n\" n/a \",1\n n/a ,1\n x ,1\n";
    let read = |quoted_nulls| {
        let rule = ColumnRule { nulls: nulls(), quoted_nulls, ..ColumnRule::default() };
        let (texts, refused) = texts(file, &rule, (1 << 20, 5, 3));
        assert_eq!(refused, []);
        texts.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    assert_eq!(read(false), ["", "n/a", " n/a ", " n/a ", " x "]);
    assert_eq!(read(true), ["", "", " n/a ", " n/a ", " x "]);
}

#[test]
fn texts_are_no_longer_than_the_column() {
    let form = ValueForm::Text { max_bytes: Some(3) };
    let (texts, refused) = texts("a,b\nabc,1\nabcd,1\né1,1\nab é,1\n", &of_form(form), (50, 5, 3));
    assert_eq!(texts, [Some("abc".to_owned()), None, Some("é1".to_owned()), None]);
    assert_eq!(refused, [(1, RefusedBecause::IsNot), (3, RefusedBecause::IsNot)]);
}

#[test]
fn floats_are_written_as_the_numbers_are_or_are_no_numbers() {
    let form = ValueForm::Double { written: german() };
    let file = "a,b\n\"1.234,5\",1\nNaN,1\n-inf,1\n1e3,1\nx,1\n1e999,1\n1.5,1\n";
    let (texts, refused) = texts(file, &of_form(form), (50, 5, 3));
    let found: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    let null = None::<&str>;
    let numbers = [Some("1234.5"), Some("NaN"), Some("-inf"), Some("1e3")];
    assert_eq!(found, [numbers.as_slice(), &[null; 3]].concat());
    assert_eq!(refused.len(), 3);
}

#[test]
fn a_form_says_what_a_value_must_be() {
    let money = || NumberForm {
        currency: vec!["€".to_owned()],
        percent: Some(Percent::Number),
        ..german()
    };
    let plain = NumberForm::default;
    let german = || MomentForm::new(&["%d.%m.%Y %H:%M".to_owned()]).expect("a pattern");
    let decimal = |scale, written| ValueForm::Decimal { precision: 9, scale, written };
    let forms = [
        ValueForm::Text { max_bytes: Some(3) },
        ValueForm::Text { max_bytes: None },
        ValueForm::Whole { bits: 16, written: plain() },
        ValueForm::Whole { bits: 32, written: money() },
        decimal(0, money()),
        decimal(1, money()),
        decimal(4, money()),
        ValueForm::Double { written: plain() },
        ValueForm::Boolean,
        ValueForm::Date(MomentForm::default()),
        ValueForm::Timestamp(german()),
        ValueForm::Timestamp(MomentForm::default()),
        ValueForm::TimestampTz(MomentForm::default()),
    ];
    let expected: Vec<String> = forms.iter().map(ValueForm::expected).collect();
    insta::assert_snapshot!(expected.join("\n"), @"
    a text of 3 bytes at most
    a text
    a whole number of 16 bits such as 1234
    a whole number of 32 bits such as €1.234%
    a DECIMAL(9,0) such as €1.234%
    a DECIMAL(9,1) such as €1.234,5%
    a DECIMAL(9,4) such as €1.234,56%
    a number such as 1234.56
    a boolean such as true or no
    a date such as 2024-01-31
    a timestamp such as 31.01.2024 10:30
    a timestamp such as 2024-01-31 10:30:00
    a timestamp such as 2024-01-31 10:30:00+01:00
    ");
}

#[test]
fn json_stays_as_it_is_also_in_a_column_with_a_rule() {
    let dialect = Dialect::of_json_fields(&Dialect::default());
    let file = "a\u{1f}b\n\"12\"\u{1f}\"12\"\n";
    let rules = [1, 2].map(|_| Some(ColumnRule { required: true, ..ColumnRule::default() }));
    let read = read_ruled(file.as_bytes(), &dialect, 1 << 20, 9, &rules).expect("reads");
    let rows = read.rows(&[DecodeAs::Json, DecodeAs::Text], 10).expect("decodes");
    let texts: Vec<_> = rows[0].iter().skip(1).flatten().map(String::as_str).collect();
    assert_eq!(texts, ["\"12\"", "12"]);
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
