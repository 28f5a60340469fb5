//! Redshift's conversion rules as data.

use super::*;
use crate::sql::Moment;

#[test]
fn decimals_are_cut_or_rounded() {
    assert_eq!(decimal(b"20.259", 8, 2, false), Ok(2025));
    assert_eq!(decimal(b"20.259", 8, 2, true), Ok(2026));
    assert_eq!(decimal(b"-0.005", 8, 2, true), Ok(-1));
    assert_eq!(decimal(b"-.5", 8, 2, false), Ok(-50));
    assert_eq!(
        decimal(b"99999999999999999999999999999999999999", 38, 0, false),
        Ok(10_i128.pow(38) - 1)
    );
    assert_eq!(
        decimal(b"9223372036854775808", 19, 0, false).map_err(|fault| fault.code),
        Err(1209)
    );
    assert_eq!(decimal(b"1000000", 8, 2, false).map_err(|fault| fault.code), Err(1209));
    assert_eq!(
        decimal(b"1e5", 8, 2, false).map_err(|fault| fault.reason),
        Err("Invalid digit, Value 'e', Pos 1, Type: Decimal".into())
    );
    assert_eq!(decimal(b".", 8, 2, false).map_err(|fault| fault.code), Err(1207));
}

#[test]
fn integers_are_digits_only() {
    let int = |field: &[u8]| integer(field, "Integer", -10..=10).map_err(|fault| fault.reason);
    assert_eq!(int(b"+007"), Ok(7));
    assert_eq!(int(b"1.0"), Err("Invalid digit, Value '.', Pos 1, Type: Integer".into()));
    assert_eq!(int(b"abc"), Err("Invalid digit, Value 'a', Pos 0, Type: Integer".into()));
    assert_eq!(int(b"11"), Err("Overflow for INTEGER".into()));
    assert_eq!(int(b"-"), Err("Invalid digit, Value '-', Pos 0, Type: Integer".into()));
}

/// The table of empty, blank and null fields: field, then what a VARCHAR and an INTEGER get with
/// each option.
#[test]
fn empty_blank_and_null_fields() {
    let defaults = TextOptions::default();
    let empty = TextOptions { empty_as_null: true, ..TextOptions::default() };
    let blanks = TextOptions { blanks_as_null: true, ..TextOptions::default() };
    let marked = TextOptions { null_as: b"NA".to_vec(), ..TextOptions::default() };
    for (field, expected_text, expected_number) in [
        ("", [false, true, false, false], [true; 4]),
        ("  ", [false, false, true, false], [true; 4]),
        ("\\N", [true, true, true, false], [true, true, true, false]),
        ("NA", [false, false, false, true], [false, false, false, true]),
    ] {
        for (index, options) in [&defaults, &empty, &blanks, &marked].into_iter().enumerate() {
            assert_eq!(
                is_null(field.as_bytes(), LoadedType::Varchar(9), options),
                expected_text[index],
                "{field:?} varchar {index}"
            );
            assert_eq!(
                is_null(field.as_bytes(), LoadedType::Int4, options),
                expected_number[index],
                "{field:?} int {index}"
            );
        }
    }
}

#[test]
fn a_varchar_counts_bytes() {
    let strict = TextOptions::default();
    let cut = TextOptions {
        truncate_columns: true,
        accept_invalid: Some(b'?'),
        ..TextOptions::default()
    };
    assert_eq!(characters("äö".as_bytes(), 3, &strict).map_err(|fault| fault.code), Err(1204));
    assert_eq!(characters("äö".as_bytes(), 3, &cut).unwrap().as_ref(), "ä".as_bytes());
    assert_eq!(
        characters(b"a\xa4", 9, &strict).map_err(|fault| fault.reason),
        Err("String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: a4 \
             (error 3)"
            .into())
    );
    assert_eq!(characters(b"a\xa4\xffb", 9, &cut).unwrap().as_ref(), b"a??b");
    assert_eq!(characters(b"a\0", 9, &strict).map_err(|fault| fault.code), Err(1220));
}

#[test]
fn moments() {
    let read = |field: &str, form: &Moment, wanted| {
        moment(field.as_bytes(), form, wanted).map(loader_values::format_timestamp)
    };
    let (default, auto) = (Moment::Default, Moment::Auto);
    for (field, form, wanted, expected) in [
        ("2024-02-29", &default, Wanted::Timestamp, Some("2024-02-29 00:00:00")),
        ("2024-02-29 01:02:03.5", &default, Wanted::Timestamp, Some("2024-02-29 01:02:03.500000")),
        ("2024-02-29T01:02:03Z", &default, Wanted::Timestamp, None),
        ("2024-02-29T01:02:03Z", &auto, Wanted::Timestamp, Some("2024-02-29 01:02:03")),
        ("2024-02-29 01:02:03+02", &default, Wanted::TimestampTz, Some("2024-02-28 23:02:03")),
        ("2024-02-29 01:02:03", &default, Wanted::Date, Some("2024-02-29 00:00:00")),
        ("2023-02-29", &default, Wanted::Date, None),
        ("1700000000", &Moment::EpochSeconds, Wanted::Timestamp, Some("2023-11-14 22:13:20")),
    ] {
        assert_eq!(read(field, form, wanted).as_deref(), expected, "{field}");
    }
}
