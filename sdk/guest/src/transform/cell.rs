//! One cell of one row as closures see it: as text, or as the value that the text stands for.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_schema::DataType;
use loader_values as values;
use values::DecimalError;

use super::decimal::{Decimal, Rounding};
use super::reader::Reader;
use super::reject::Reject;
use super::value::{Date, Timestamp};

/// A cell: one column of one row.
///
/// A cell reads as any type, also a cell of a text column. NULL reads as None in every type. A
/// value that is not of the type that the closure asks for is a [`Reject`], which the closure hands
/// on with `?`: the row is not loaded.
///
/// | cell | [`text`](Cell::text) | [`integer`](Cell::integer) | [`decimal`](Cell::decimal) |
/// |---|---|---|---|
/// | text `42` | `42` | 42 | 42 |
/// | text `4.20` | `4.20` | rejects: `not-an-integer` | 4.20 |
/// | text `n/a` | `n/a` | rejects: `not-an-integer` | rejects: `not-a-number` |
/// | date 2024-12-31 | `2024-12-31` | rejects: `not-an-integer` | rejects: `not-a-number` |
/// | NULL | None | None | None |
///
/// ```
/// use loader_sdk::{Error, Kind, NoConfig, Rows, Transform, testing::Sample};
///
/// struct Total;
/// impl Transform for Total {
///     type Config = NoConfig;
///     fn steps(_config: NoConfig, rows: &mut Rows) -> Result<(), Error> {
///         rows.derive("total", ["quantity", "free"], |[quantity, free]| {
///             let (Some(quantity), Some(free)) = (quantity.integer()?, free.boolean()?) else { return Ok(None) };
///             Ok(Some(if free { 0 } else { quantity }))
///         })?;
///         Ok(())
///     }
/// }
///
/// let sample = Sample::new(["quantity", "free"]).row(["3", "no"]).row(["x", "no"]);
/// let ran = sample.run::<Total>("").unwrap();
/// assert_eq!(ran.to_string(), "quantity,free,total\n3,no,3\nrow 2: not-an-integer: column \"quantity\": the field is not a whole number of 64 bits\n");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    column: &'a Reader,
    row: usize,
}

impl<'a> Cell<'a> {
    pub(crate) fn new(column: &'a Reader, row: usize) -> Cell<'a> {
        // A constant has one value for all rows, in place 0.
        Cell { column, row: if column.is_constant { 0 } else { row } }
    }

    /// Returns the name of the column.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Reject};
    /// fn refuse(cell: Cell<'_>) -> Reject {
    ///     Reject::new("bad-code", format!("column {:?}: not one of ours", cell.name()))
    /// }
    /// ```
    pub fn name(self) -> &'a str {
        &self.column.name
    }

    /// Tells whether the cell has no value. An empty text is a value.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Reject};
    /// fn is_missing(cell: Cell<'_>) -> bool {
    ///     cell.is_null() || cell.text() == Some("")
    /// }
    /// ```
    pub fn is_null(self) -> bool {
        self.column.array.is_null(self.row)
    }

    /// Reads the value as text. The text of a text column is what stands in the file. A typed value
    /// becomes text in one way, such as `true`, `2024-12-31`, `2024-12-31 23:59:59` or `12.50`.
    ///
    /// ```
    /// # use loader_sdk::Cell;
    /// fn is_open(cell: Cell<'_>) -> bool {
    ///     cell.text() == Some("open")
    /// }
    /// ```
    pub fn text(self) -> Option<&'a str> {
        let texts = self.column.texts();
        texts.is_valid(self.row).then(|| texts.value(self.row))
    }

    /// Reads the value as a whole number, from text, whole numbers, or decimals without a fraction.
    ///
    /// Errors: `not-an-integer`. For example, the text `12.0` is not a whole number, and the
    /// decimal 12.00 is. Floats are refused, also without a fraction: past 2^53, a float has no
    /// room for every whole number.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Reject};
    /// fn is_adult(age: Cell<'_>) -> Result<bool, Reject> {
    ///     Ok(age.integer()?.is_some_and(|age| age >= 18))
    /// }
    /// ```
    pub fn integer(self) -> Result<Option<i64>, Reject> {
        if self.is_null() {
            return Ok(None);
        }
        let number = match self.column.array.data_type() {
            DataType::Int8 => Some(i64::from(self.value::<Int8Type>())),
            DataType::Int16 => Some(i64::from(self.value::<Int16Type>())),
            DataType::Int32 => Some(i64::from(self.value::<Int32Type>())),
            DataType::Int64 => Some(self.value::<Int64Type>()),
            DataType::Decimal128(_, _) => self.decimal()?.and_then(whole),
            DataType::Utf8 => self.text().and_then(|text| values::parse_i64(text.as_bytes())),
            _ => None,
        };
        self.or_reject(number, "not-an-integer", "a whole number of 64 bits")
    }

    /// Reads the value as a float. For money and keys use [`Cell::decimal`], which loses nothing.
    ///
    /// Errors: `not-a-number`.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Reject};
    /// fn celsius(fahrenheit: Cell<'_>) -> Result<Option<f64>, Reject> {
    ///     Ok(fahrenheit.double()?.map(|degrees| (degrees - 32.0) / 1.8))
    /// }
    /// ```
    pub fn double(self) -> Result<Option<f64>, Reject> {
        if self.is_null() {
            return Ok(None);
        }
        let number = match self.column.array.data_type() {
            DataType::Float32 => Some(f64::from(self.value::<Float32Type>())),
            DataType::Float64 => Some(self.value::<Float64Type>()),
            DataType::Boolean | DataType::Date32 | DataType::Timestamp(_, _) => None,
            // Whole numbers and decimals go by way of their text, which gives the nearest float
            // however many digits they have.
            _ => self.text().and_then(|text| values::parse_f64(text.as_bytes())),
        };
        self.or_reject(number, "not-a-number", "a number")
    }

    /// Reads the value as an exact number of up to 38 digits, from text or any number.
    ///
    /// Errors: `not-a-number`; `not-finite` for NaN and infinities; `out-of-range` for more than 38
    /// digits.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Decimal, Reject};
    /// fn is_refund(amount: Cell<'_>) -> Result<bool, Reject> {
    ///     Ok(amount.decimal()?.is_some_and(|amount| amount < Decimal::from(0)))
    /// }
    /// ```
    pub fn decimal(self) -> Result<Option<Decimal>, Reject> {
        if self.is_null() {
            return Ok(None);
        }
        match self.column.array.data_type() {
            DataType::Decimal128(_, scale) => {
                let unscaled = self.value::<Decimal128Type>();
                let number =
                    u8::try_from(*scale).ok().and_then(|scale| Decimal::new(unscaled, scale));
                self.or_reject(number, "not-a-number", "a number of at most 38 digits")
            }
            DataType::Int32 => Ok(Some(i64::from(self.value::<Int32Type>()).into())),
            DataType::Int64 => Ok(Some(self.value::<Int64Type>().into())),
            DataType::Boolean | DataType::Date32 | DataType::Timestamp(_, _) => {
                self.or_reject(None, "not-a-number", "a number")
            }
            _ => self.text_as_decimal(),
        }
    }

    /// Reads the value as true or false. Of a text, it takes the words that Redshift takes: true,
    /// t, yes, y, 1 and their opposites, in any case.
    ///
    /// Errors: `not-a-boolean`.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Reject};
    /// fn is_test(cell: Cell<'_>) -> Result<bool, Reject> {
    ///     Ok(cell.boolean()?.unwrap_or(false))
    /// }
    /// ```
    pub fn boolean(self) -> Result<Option<bool>, Reject> {
        if self.is_null() {
            return Ok(None);
        }
        let value = match self.column.array.data_type() {
            DataType::Boolean => Some(self.column.array.as_boolean().value(self.row)),
            DataType::Date32 | DataType::Timestamp(_, _) => None,
            _ => self.text().and_then(|text| values::parse_bool_literal(text.as_bytes())),
        };
        self.or_reject(value, "not-a-boolean", "true or false")
    }

    /// Reads the value as a day. A text must be `YYYY-MM-DD`.
    ///
    /// Errors: `not-a-date`. For example, `31.12.2024` and a timestamp are not dates.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Date, Reject};
    /// fn day_after(cell: Cell<'_>) -> Result<Option<Date>, Reject> {
    ///     Ok(cell.date()?.map(|day| Date::from_days(day.days() + 1)))
    /// }
    /// ```
    pub fn date(self) -> Result<Option<Date>, Reject> {
        if self.is_null() {
            return Ok(None);
        }
        let date = match self.column.array.data_type() {
            DataType::Date32 => Some(Date::from_days(self.value::<Date32Type>())),
            DataType::Utf8 => self.text().and_then(Date::parse),
            _ => None,
        };
        self.or_reject(date, "not-a-date", "a date as YYYY-MM-DD")
    }

    /// Reads the value as a point in time. A day stands for its midnight.
    ///
    /// Errors: `not-a-timestamp`.
    ///
    /// ```
    /// # use loader_sdk::{Cell, Date, Reject};
    /// fn day(cell: Cell<'_>) -> Result<Option<Date>, Reject> {
    ///     Ok(cell.timestamp()?.map(|time| time.date()))
    /// }
    /// ```
    pub fn timestamp(self) -> Result<Option<Timestamp>, Reject> {
        if self.is_null() {
            return Ok(None);
        }
        let time = match self.column.array.data_type() {
            DataType::Timestamp(_, _) => {
                Some(Timestamp::from_micros(self.value::<TimestampMicrosecondType>()))
            }
            DataType::Date32 | DataType::Utf8 => self.text().and_then(Timestamp::parse),
            _ => None,
        };
        self.or_reject(time, "not-a-timestamp", "a timestamp as YYYY-MM-DD HH:MM:SS")
    }

    fn value<T: ArrowPrimitiveType>(self) -> T::Native {
        self.column.array.as_primitive::<T>().value(self.row)
    }

    // Floats come this way too. Their text has the fewest digits that read back as the same float,
    // so the float 0.1 becomes the decimal 0.1. Its exact value begins 0.1000000000000000055.
    fn text_as_decimal(self) -> Result<Option<Decimal>, Reject> {
        let Some(text) = self.text() else { return Ok(None) };
        let (code, expected) = match Decimal::parse(text) {
            Ok(number) => return Ok(Some(number)),
            Err(DecimalError::NotANumber) => ("not-a-number", "a number"),
            Err(DecimalError::NotFinite) => ("not-finite", "a finite number"),
            Err(DecimalError::OutOfRange) => ("out-of-range", "a number of at most 38 digits"),
        };
        self.or_reject(None, code, expected)
    }

    fn or_reject<T>(
        self,
        value: Option<T>,
        code: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Reject> {
        let reject = || {
            Reject::new(code, format!("column {:?}: the field is not {expected}", self.name()))
                .column(self.name())
        };
        value.map(Some).ok_or_else(reject)
    }
}

fn whole(number: Decimal) -> Option<i64> {
    // Cutting the fraction off changes the number unless the fraction is zero.
    let rounded = number.round(0, Rounding::Down)?;
    if rounded == number { i64::try_from(rounded.unscaled()).ok() } else { None }
}
