//! The strict cast, pair by pair, and against exact arithmetic on any input.

use arrow_array::{
    Date32Array, Decimal128Array, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
};
use proptest::prelude::*;

use super::*;

fn cast_to(array: impl Array + 'static, to: DataType) -> (ArrayRef, Vec<u32>, u64) {
    let outcome = strict_cast(&(Arc::new(array) as ArrayRef), &to).expect("the pair is there");
    assert_eq!(outcome.array.data_type(), &to);
    for row in &outcome.failed {
        assert!(outcome.array.is_null(*row as usize));
    }
    (outcome.array, outcome.failed, outcome.rounded)
}

fn texts(values: &[&str]) -> StringArray {
    StringArray::from(values.to_vec())
}

#[test]
fn text_becomes_numbers_or_its_row_fails() {
    let source = StringArray::from(vec![Some("7"), None, Some("x"), Some("-32769"), Some("")]);
    let (array, failed, _) = cast_to(source, DataType::Int16);
    assert_eq!(
        array.as_ref(),
        &Int16Array::from(vec![Some(7), None, None, None, None]) as &dyn Array
    );
    assert_eq!(failed, [2, 3, 4]);

    let (array, failed, _) = cast_to(texts(&["0.1", "1e3", "one"]), DataType::Float64);
    assert_eq!(
        array.as_ref(),
        &Float64Array::from(vec![Some(0.1), Some(1000.0), None]) as &dyn Array
    );
    assert_eq!(failed, [2]);

    let wide = Float64Array::from(vec![0.1, 1e39, f64::INFINITY]);
    let (array, failed, _) = cast_to(wide, DataType::Float32);
    let nearest = Float32Array::from(vec![Some(0.1), None, Some(f32::INFINITY)]);
    assert_eq!(array.as_ref(), &nearest as &dyn Array);
    assert_eq!(failed, [1]);
    let (array, failed, _) = cast_to(texts(&["0.1", "1e39"]), DataType::Float32);
    assert_eq!(array.as_ref(), &Float32Array::from(vec![Some(0.1), None]) as &dyn Array);
    assert_eq!(failed, [1]);
}

#[test]
fn text_becomes_exact_decimals_and_counts_what_it_rounds() {
    let to = DataType::Decimal128(5, 2);
    let (array, failed, rounded) =
        cast_to(texts(&["1.10", "-0.005", "999.994", "999.995", "1000", "NaN"]), to);
    let values: Vec<_> = array.as_primitive::<Decimal128Type>().iter().collect();
    assert_eq!(values, [Some(110), Some(-1), Some(99_999), None, None, None]);
    assert_eq!((failed, rounded), (vec![3, 4, 5], 2));
}

#[test]
fn text_becomes_booleans_dates_and_timestamps() {
    let (array, failed, _) = cast_to(texts(&["t", "No", "maybe"]), DataType::Boolean);
    assert_eq!(
        array.as_ref(),
        &BooleanArray::from(vec![Some(true), Some(false), None]) as &dyn Array
    );
    assert_eq!(failed, [2]);

    let (array, failed, _) = cast_to(texts(&["1970-01-02", "1970-02-30"]), DataType::Date32);
    assert_eq!(array.as_ref(), &Date32Array::from(vec![Some(1), None]) as &dyn Array);
    assert_eq!(failed, [1]);

    let (array, failed, _) = cast_to(
        texts(&["1970-01-01 00:00:01", "soon"]),
        DataType::Timestamp(TimeUnit::Microsecond, None),
    );
    assert_eq!(array.as_primitive::<TimestampMicrosecondType>().value(0), 1_000_000);
    assert_eq!(failed, [1]);
}

#[test]
fn integers_narrow_only_when_they_fit_and_widen_always() {
    let (array, failed, _) = cast_to(Int64Array::from(vec![1, i64::MAX, -2]), DataType::Int32);
    assert_eq!(array.as_ref(), &Int32Array::from(vec![Some(1), None, Some(-2)]) as &dyn Array);
    assert_eq!(failed, [1]);
    let (array, failed, _) =
        cast_to(Int64Array::from(vec![1 << 53, (1 << 53) + 1]), DataType::Float64);
    assert_eq!(array.as_primitive::<Float64Type>().value(0), 9_007_199_254_740_992.0);
    assert_eq!(failed, [1]);
    let (array, failed, _) = cast_to(Int32Array::from(vec![99, 100]), DataType::Decimal128(4, 2));
    assert_eq!(array.as_primitive::<Decimal128Type>().value(0), 9_900);
    assert_eq!(failed, [1]);
}

#[test]
fn values_become_their_canonical_text() {
    let decimals = Decimal128Array::from(vec![-5, 1234]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(cast_to(decimals, DataType::Utf8).0.as_string::<i32>(), &texts(&["-0.05", "12.34"]));
    assert_eq!(
        cast_to(Int64Array::from(vec![-7]), DataType::Utf8).0.as_string::<i32>(),
        &texts(&["-7"])
    );
    assert_eq!(
        cast_to(BooleanArray::from(vec![true]), DataType::Utf8).0.as_string::<i32>(),
        &texts(&["true"])
    );
    assert_eq!(
        cast_to(Date32Array::from(vec![1]), DataType::Utf8).0.as_string::<i32>(),
        &texts(&["1970-01-02"])
    );
}

#[test]
fn dates_become_midnights() {
    let (array, failed, _) = cast_to(
        Date32Array::from(vec![1, i32::MAX]),
        DataType::Timestamp(TimeUnit::Microsecond, None),
    );
    assert_eq!(array.as_primitive::<TimestampMicrosecondType>().value(0), MICROS_PER_DAY);
    assert_eq!(failed, [1]);
}

#[test]
fn pairs_that_would_guess_are_denied() {
    for (from, to) in [
        (DataType::Float64, DataType::Int64),
        (DataType::Float64, DataType::Decimal128(38, 18)),
        (DataType::Int64, DataType::Boolean),
        (DataType::Boolean, DataType::Int32),
        (DataType::Timestamp(TimeUnit::Microsecond, None), DataType::Date32),
        (DataType::Binary, DataType::Utf8),
        (DataType::Int64, DataType::Timestamp(TimeUnit::Nanosecond, None)),
    ] {
        assert!(!can_cast(&from, &to), "{from} to {to}");
        let array = arrow_array::new_empty_array(&from);
        assert_eq!(
            strict_cast(&array, &to).unwrap_err().to_string(),
            format!("{from} is not cast to {to}")
        );
    }
}

#[test]
fn every_pair_that_is_allowed_works() {
    let decimals =
        [DataType::Decimal128(38, 18), DataType::Decimal128(38, 0), DataType::Decimal128(3, 3)];
    let types: Vec<DataType> = [
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Utf8,
        DataType::Date32,
        DataType::Timestamp(TimeUnit::Microsecond, None),
    ]
    .into_iter()
    .chain(decimals)
    .collect();
    for from in &types {
        for to in &types {
            let array = arrow_array::new_null_array(from, 2);
            let outcome = strict_cast(&array, to);
            assert_eq!(outcome.is_ok(), can_cast(from, to), "{from} to {to}");
            if let Ok(outcome) = outcome {
                assert_eq!(
                    (outcome.array.null_count(), outcome.failed.len()),
                    (2, 0),
                    "{from} to {to}"
                );
            }
        }
    }
}

proptest! {
    /// Against the definition: the nearest multiple, half away from zero, if it has few enough
    /// digits.
    #[test]
    fn decimals_are_rescaled_exactly(value in -10_i128.pow(20)..10_i128.pow(20), from in 0_i8..=10, to in 0_i8..=10) {
        let source = Decimal128Array::from(vec![value]).with_precision_and_scale(30, from).unwrap();
        let (array, failed, rounded) = cast_to(source, DataType::Decimal128(22, to));
        let scaled = value * 10_i128.pow(to as u32) * 2;
        let unit = 10_i128.pow(from as u32);
        let expected = (scaled.abs() + unit) / (2 * unit) * value.signum();
        if expected.abs() < 10_i128.pow(22) {
            prop_assert_eq!(array.as_primitive::<Decimal128Type>().value(0), expected);
            prop_assert_eq!(rounded == 1, expected * unit != scaled / 2);
        } else {
            prop_assert_eq!(failed, vec![0]);
        }
    }

    /// Out to text and back is the same value.
    #[test]
    fn text_of_a_decimal_reads_back(value in -10_i128.pow(37)..10_i128.pow(37), scale in 0_i8..=30) {
        let data_type = DataType::Decimal128(38, scale);
        let source = Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
        let (text, ..) = cast_to(source, DataType::Utf8);
        let back = strict_cast(&text, &data_type).unwrap();
        prop_assert_eq!(back.array.as_primitive::<Decimal128Type>().value(0), value);
        prop_assert_eq!(back.rounded, 0);
    }
}
