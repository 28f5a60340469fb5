//! The facts of one column, for every pair of values that are written in one of many ways: they are
//! those that a plain look at each value finds, wherever the file is cut.

use loader_csv::{ColumnProfile, Dialect, LeadingZeros, Position};
use loader_values::{
    NumberShape, has_leading_zeros, number_shape, parse_f64, parse_i64, parse_whole_loosely,
    reads_back,
};

use crate::properties::TYPES;
use crate::read;

/// The profile of a column of these values, which is the same for a file in one chunk and for one
/// with a chunk for each record.
fn profile(values: &[&str], dialect: &Dialect) -> ColumnProfile {
    let rows: String = values.iter().map(|value| format!("{value},\n")).collect();
    let file = format!("v,w\n{rows}");
    let of = |target| {
        let read = read(file.as_bytes(), dialect, target, 1 << 16).expect("a good file");
        read.profile.columns[0].clone()
    };
    let whole = of(1 << 20);
    assert_eq!(whole, of(1), "{values:?}");
    whole
}

fn record(position: Option<&Position>) -> Option<u64> {
    position.map(|position| position.record)
}

/// The greatest number, and the first record that has it; nothing for 0.
fn greatest(numbers: impl Iterator<Item = u32>) -> (u32, Option<u64>) {
    (1..).zip(numbers).fold((0, None), |(most, at), (record, number)| {
        if number > most { (number, Some(record)) } else { (most, at) }
    })
}

fn first(values: &[&str], is_it: impl Fn(&[u8]) -> bool) -> Option<u64> {
    let mut numbered = (1..).zip(values);
    numbered.find(|(_, value)| is_it(value.as_bytes())).map(|(record, _)| record)
}

/// Numbers in all forms, among them the ends of what types and floats hold.
const NUMBERS: [&str; 50] = [
    "0",
    "5",
    "-7",
    "32767",
    "32768",
    "-32769",
    "2147483647",
    "2147483648",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999",
    "1.5",
    "-2.25",
    "1.0",
    "-4.0",
    "3.00",
    "0.5",
    "-0.5",
    "0.0001",
    "1234567.5",
    "123456.75",
    "12345678901234.5",
    "12345678901234567.5",
    "562949953421312.2",
    "562949953421312.3",
    "0.12345678901234567890",
    "0.123456789012345678901",
    "1e3",
    "-1.0e2",
    "12E4",
    "1.5e3",
    "1e-7",
    "-0",
    "-0.0",
    "+5",
    ".5",
    "-.5",
    "1.",
    "1e400",
    "1e-400",
    "NaN",
    "-inf",
    "007",
    "-00.5",
    "x",
];

#[test]
fn the_facts_of_numbers_are_those_of_each() {
    let long: Vec<String> =
        [38, 39, 300, 301, 310].into_iter().map(|digits| "9".repeat(digits)).collect();
    let all: Vec<&str> = NUMBERS.into_iter().chain(long.iter().map(String::as_str)).collect();
    for one in &all {
        for other in &all {
            check_numbers(&[one, other]);
        }
    }
    let ends = ["1", "x", "007", "NaN", "+5"];
    for one in ends {
        for other in ends {
            ends.into_iter().for_each(|third| check_numbers(&[one, other, third]));
        }
    }
}

fn check_numbers(values: &[&str]) {
    let column = profile(values, &Dialect::default());
    for (logical, reads) in TYPES {
        let refused = column.accepts(logical).err();
        assert_eq!(record(refused), first(values, |text| !reads(text)), "{logical} {values:?}");
    }
    let (longest, longest_at) = greatest(values.iter().map(|value| value.len() as u32));
    assert_eq!((column.max_bytes, record(column.longest_at.as_ref())), (longest, longest_at));
    let is_number = |text: &[u8]| parse_f64(text).is_some() && !has_leading_zeros(text);
    let end = first(values, |text| !is_number(text));
    let zeros = first(values, |text| parse_f64(text).is_some() && has_leading_zeros(text));
    let zeros = zeros.filter(|_| zeros == end);
    assert_eq!(record(column.leading_zeros_at.as_ref()), zeros, "{values:?}");
    let numbers = if end.is_none() { values } else { &[] };
    check_digits(&column, numbers);
    check_whole_numbers(&column, numbers);
    let not_finite = first(numbers, |text| number_shape(text).is_none());
    assert_eq!(record(column.not_finite_at.as_ref()), not_finite, "{values:?}");
    let imprecise = first(numbers, |text| number_shape(text).is_some() && !reads_back(text));
    assert_eq!(record(column.imprecise_at.as_ref()), imprecise, "{values:?}");
    assert_eq!(record(column.respelt_number()), respelt(numbers, zeros), "{values:?}");
}

fn check_digits(column: &ColumnProfile, values: &[&str]) {
    let digits = |of: fn(NumberShape) -> u32| {
        let shapes = values.iter().map(|value| number_shape(value.as_bytes()));
        greatest(shapes.map(|shape| shape.map_or(0, of)))
    };
    let widest = (column.max_integer_digits, record(column.widest_at.as_ref()));
    assert_eq!(widest, digits(|shape| shape.integer_digits), "{values:?}");
    let finest = (column.max_fraction_digits, record(column.finest_at.as_ref()));
    assert_eq!(finest, digits(|shape| shape.fraction_digits), "{values:?}");
}

fn check_whole_numbers(column: &ColumnProfile, values: &[&str]) {
    let all = |parse: fn(&[u8]) -> Option<i64>| {
        let values = values.iter().map(|value| parse(value.as_bytes()));
        values.collect::<Option<Vec<i64>>>().filter(|values| !values.is_empty())
    };
    // In other forms only numbers of so few digits count that they always fit.
    let loosely = all(parse_whole_loosely).filter(|_| column.max_integer_digits <= 18);
    let whole = all(parse_i64).or(loosely);
    let range = whole.map(|whole| (whole.iter().min().copied(), whole.iter().max().copied()));
    assert_eq!((column.min_int, column.max_int), range.unwrap_or_default(), "{values:?}");
}

/// The first number that a number would not give back as it is; else the first of those with most
/// digits behind the point, where not all have as many.
fn respelt(values: &[&str], zeros: Option<u64>) -> Option<u64> {
    let mantissa = |text: &[u8]| {
        let end = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
        text[..end.unwrap_or(text.len())].to_vec()
    };
    let is_number = |text: &[u8]| number_shape(text).is_some();
    let is_odd = |text: &[u8]| {
        let text = mantissa(text);
        let digits = text.strip_prefix(b"-").unwrap_or(&text);
        let is_zero = digits.iter().all(|byte| matches!(byte, b'0' | b'.'));
        let begins = digits.starts_with(b"+") || digits.starts_with(b".");
        begins || digits.ends_with(b".") || (is_zero && digits.len() < text.len())
    };
    let behind = |value: &&str| {
        let text = mantissa(value.as_bytes());
        let point = text.iter().position(|byte| *byte == b'.');
        point.filter(|_| is_number(value.as_bytes())).map(|at| (text.len() - at - 1) as u32)
    };
    let written: Vec<Option<u32>> = values.iter().map(behind).collect();
    let is_mixed = written.windows(2).any(|pair| pair[0] != pair[1]);
    let (_, longest_at) = greatest(written.iter().map(|written| written.unwrap_or(0)));
    first(values, |text| is_number(text) && is_odd(text))
        .or_else(|| first(values, |text| is_number(text) && mantissa(text) != text))
        .or(zeros)
        .or(longest_at.filter(|_| is_mixed))
}

/// What a text is: a date, a moment, and in forms that are read where the type is known a day, a
/// moment, and a moment of which digits are cut.
type Kinds = (&'static str, [bool; 5]);

const MOMENTS: [Kinds; 14] = [
    ("2024-01-31", [true, true, true, true, false]),
    ("2024-01-31 00:00:00", [false, true, true, true, false]),
    ("2024-01-31 10:30:00", [false, true, false, true, false]),
    ("2024-01-31T10:30:00Z", [false, true, false, true, false]),
    ("2024-01-31 00:00:00+02", [false, true, false, true, false]),
    ("2024-01-31 19:00:00-05", [false, true, false, true, false]),
    ("2024-1-31", [false, false, true, true, false]),
    ("20240131", [false, false, true, true, false]),
    ("2024-1-31 10:30", [false, false, false, true, false]),
    ("2024-1-31 19:00 -0500", [false, false, false, true, false]),
    ("2024-01-31 10:30:00.1234567", [false, false, false, true, true]),
    ("2024-01-31 00:00:00.0000001", [false, false, true, true, true]),
    ("31.01.2024", [false, false, false, false, false]),
    ("x", [false, false, false, false, false]),
];

#[test]
fn the_facts_of_moments_are_those_of_each() {
    for one in &MOMENTS {
        for other in &MOMENTS {
            for third in [None, Some(&MOMENTS[10])] {
                check_moments(&[Some(one), Some(other), third]);
            }
        }
    }
}

fn check_moments(kinds: &[Option<&Kinds>]) {
    use loader_csv::LogicalType::{Date, Timestamp};
    let kinds: Vec<&Kinds> = kinds.iter().copied().flatten().collect();
    let values: Vec<&str> = kinds.iter().map(|(text, _)| *text).collect();
    let column = profile(&values, &Dialect::default());
    let first_other = |kind: usize| {
        let other = kinds.iter().position(|(_, kinds)| !kinds[kind]);
        other.map(|place| place as u64 + 1)
    };
    assert_eq!(record(column.accepts(Date).err()), first_other(0), "{values:?}");
    assert_eq!(record(column.accepts(Timestamp).err()), first_other(1), "{values:?}");
    assert_eq!(record(column.accepts_days().err()), first_other(2), "{values:?}");
    assert_eq!(record(column.accepts_moments().err()), first_other(3), "{values:?}");
    let cut = kinds.iter().filter(|(_, kinds)| kinds[4]).count() as u64;
    let expected = if first_other(3).is_none() { cut } else { 0 };
    assert_eq!(column.cut, expected, "{values:?}");
}

#[test]
fn numbers_with_leading_zeros_are_numbers_where_the_zeros_mean_nothing() {
    let dialect = Dialect { leading_zeros: LeadingZeros::Number, ..Dialect::default() };
    let column = profile(&["007", "-01", "5"], &dialect);
    assert_eq!((column.min_int, column.max_int), (Some(-1), Some(7)));
    assert_eq!(record(column.leading_zeros_at.as_ref()), Some(1));
}
