//! What closures return for a cell; days and points in time.

use std::borrow::Cow;
use std::fmt;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use loader_values as values;

use super::kind::Kind;

/// A type that a step can fill a column with.
///
/// | returned | the column is |
/// |---|---|
/// | `String`, `&'static str`, `Cow<'static, str>` | text |
/// | `i32`, `i64` | INTEGER, BIGINT |
/// | `f64` | DOUBLE PRECISION |
/// | `bool` | BOOLEAN |
/// | [`Date`], [`Timestamp`] | DATE, TIMESTAMP |
///
/// Decimals have a step of their own, [`Rows::derive_decimal`](crate::Rows::derive_decimal), which
/// says how many digits the column has.
///
/// ```
/// use loader_sdk::{Kind, Value};
///
/// assert_eq!((String::KIND, i32::KIND), (Kind::Text, Kind::Integer));
/// ```
pub trait Value: Sized + 'static {
    /// The type of the column.
    const KIND: Kind;

    /// Collects the column.
    #[doc(hidden)]
    type Builder: ArrayBuilder + Default;

    #[doc(hidden)]
    fn push(builder: &mut Self::Builder, value: Option<Self>);
}

pub(crate) fn finish(mut builder: impl ArrayBuilder) -> ArrayRef {
    builder.finish()
}

// A macro, because Arrow's builders share no trait with `append_value`.
macro_rules! value {
    ($type:ty, $kind:ident, $builder:ty, $value:ident => $raw:expr) => {
        impl Value for $type {
            const KIND: Kind = Kind::$kind;
            type Builder = $builder;

            fn push(builder: &mut $builder, value: Option<Self>) {
                match value {
                    Some($value) => builder.append_value($raw),
                    None => builder.append_null(),
                }
            }
        }
    };
}

value!(String, Text, StringBuilder, text => text);
value!(&'static str, Text, StringBuilder, text => text);
value!(Cow<'static, str>, Text, StringBuilder, text => text);
value!(bool, Boolean, BooleanBuilder, value => value);
value!(i32, Integer, Int32Builder, number => number);
value!(i64, BigInteger, Int64Builder, number => number);
value!(f64, Double, Float64Builder, number => number);
value!(Date, Date, Date32Builder, date => date.days());
value!(Timestamp, Timestamp, TimestampMicrosecondBuilder, time => time.micros());

/// The array of one value, for constants.
pub(crate) fn constant<T: Value>(value: Option<T>) -> ArrayRef {
    let mut builder = T::Builder::default();
    T::push(&mut builder, value);
    finish(builder)
}

/// A day of the Gregorian calendar, without a time zone.
///
/// ```
/// use loader_sdk::Date;
///
/// let day = Date::parse("2024-02-29").unwrap();
/// assert_eq!(Date::from_days(day.days() + 1).to_string(), "2024-03-01");
/// assert_eq!(Date::parse("29.02.2024"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

impl Date {
    /// Reads `YYYY-MM-DD`. No other text is a date.
    ///
    /// ```
    /// assert!(loader_sdk::Date::parse("2024-12-31").is_some());
    /// ```
    pub fn parse(text: &str) -> Option<Date> {
        values::parse_date(text.as_bytes()).map(Date)
    }

    /// Makes the day that is `days` days after 1970-01-01.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Date::from_days(-1).to_string(), "1969-12-31");
    /// ```
    pub fn from_days(days: i32) -> Date {
        Date(days)
    }

    /// Returns the number of days since 1970-01-01.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Date::parse("1970-02-01").unwrap().days(), 31);
    /// ```
    pub fn days(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&values::format_date(self.0))
    }
}

/// A point in time in UTC, to the microsecond.
///
/// ```
/// use loader_sdk::Timestamp;
///
/// let time = Timestamp::parse("2024-03-01T12:30:00+02:00").unwrap();
/// assert_eq!(time.to_string(), "2024-03-01 10:30:00");
/// assert_eq!(time.date().to_string(), "2024-03-01");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Reads `YYYY-MM-DD HH:MM[:SS[.ffffff]]`, with a blank or `T` between date and time, and with
    /// or without an offset. A date alone stands for its midnight. For example,
    /// `2024-03-01T12:30+02` is 10:30 in UTC.
    ///
    /// ```
    /// assert!(loader_sdk::Timestamp::parse("2024-03-01").is_some());
    /// ```
    pub fn parse(text: &str) -> Option<Timestamp> {
        values::parse_timestamp(text.as_bytes()).map(Timestamp)
    }

    /// Makes the point that is `micros` microseconds after 1970-01-01 00:00:00 UTC.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Timestamp::from_micros(1_500_000).to_string(), "1970-01-01 00:00:01.500000");
    /// ```
    pub fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Returns the number of microseconds since 1970-01-01 00:00:00 UTC.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Timestamp::parse("1970-01-01 00:01").unwrap().micros(), 60_000_000);
    /// ```
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Returns the day on which the point falls, in UTC.
    ///
    /// ```
    /// assert_eq!(loader_sdk::Timestamp::from_micros(-1).date().to_string(), "1969-12-31");
    /// ```
    pub fn date(self) -> Date {
        // Euclidean division, so that a point before 1970 falls on the day before. The cast cuts
        // nothing: 2^63 microseconds are 1.07e8 days, and an `i32` holds 2.1e9.
        Date(self.0.div_euclid(86_400_000_000) as i32)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&values::format_timestamp(self.0))
    }
}
