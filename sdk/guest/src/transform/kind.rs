//! The types of columns, in the words of a table rather than Arrow's.

use std::fmt;

use arrow_schema::{DataType, Field, TimeUnit};

use crate::error::Error;

/// The key of a field's metadata under which the host says what a column of text holds: `decimal`
/// or `double`.
// The same key as `LOGICAL_KEY` in `loader-csv`, which plugins do not depend on.
const LOGICAL_TYPE: &str = "loader.logical";

/// What a column holds.
///
/// ```
/// use loader_sdk::Kind;
///
/// assert_eq!(Kind::Decimal(12, 2).to_string(), "decimal(12,2)");
/// assert_ne!(Kind::Text, Kind::Number);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Text.
    Text,
    /// A number with a fraction or an exponent, as the text that stands in the file. Nothing is
    /// lost: `1.10` is still `1.10`.
    Number,
    /// True or false.
    Boolean,
    /// A whole number of 16 bits or fewer.
    SmallInteger,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    BigInteger,
    /// A float of 32 bits.
    Real,
    /// A float of 64 bits.
    Double,
    /// An exact number: how many digits it has in all, and how many of them after the point.
    Decimal(u8, u8),
    /// A day.
    Date,
    /// A point in time in UTC, to the microsecond.
    Timestamp,
    /// A type that steps can only pass through, such as bytes.
    Other,
}

impl Kind {
    // Arrow allows negative scales, and `Kind::Decimal` does not: steps can only pass such a column
    // through.
    pub(crate) fn of(field: &Field) -> Kind {
        match field.data_type() {
            DataType::Utf8 if holds_numbers(field) => Kind::Number,
            DataType::Utf8 => Kind::Text,
            DataType::Boolean => Kind::Boolean,
            DataType::Int8 | DataType::Int16 => Kind::SmallInteger,
            DataType::Int32 => Kind::Integer,
            DataType::Int64 => Kind::BigInteger,
            DataType::Float32 => Kind::Real,
            DataType::Float64 => Kind::Double,
            DataType::Decimal128(precision, scale) if *scale >= 0 => {
                Kind::Decimal(*precision, *scale as u8)
            }
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(TimeUnit::Microsecond, None) => Kind::Timestamp,
            _ => Kind::Other,
        }
    }

    /// A field that [`Kind::of`] reads as this kind.
    pub(crate) fn field(self, name: &str) -> Field {
        let field = |data_type| Field::new(name, data_type, true);
        match self {
            Kind::Number => {
                let metadata = [(LOGICAL_TYPE.to_owned(), "decimal".to_owned())];
                field(DataType::Utf8).with_metadata(metadata)
            }
            // Not by `data_type`: a decimal that cannot be loaded may still be read.
            Kind::Decimal(precision, scale) => field(DataType::Decimal128(precision, scale as i8)),
            // `Other` has no type of its own. `Kind::of` reads Null as `Other` again.
            kind => field(kind.data_type().unwrap_or(DataType::Null)),
        }
    }

    /// The type of a column that the plugin makes. Errors: `bad-kind` for a kind that only inputs
    /// have, `bad-decimal` for a decimal that cannot be loaded.
    pub(crate) fn data_type(self) -> Result<DataType, Error> {
        Ok(match self {
            Kind::Text => DataType::Utf8,
            Kind::Boolean => DataType::Boolean,
            Kind::SmallInteger => DataType::Int16,
            Kind::Integer => DataType::Int32,
            Kind::BigInteger => DataType::Int64,
            Kind::Real => DataType::Float32,
            Kind::Double => DataType::Float64,
            Kind::Decimal(precision, scale) => decimal_type(precision, scale)?,
            Kind::Date => DataType::Date32,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::Number | Kind::Other => {
                return Err(Error::new(
                    "bad-kind",
                    format!("no column can be made Kind::{self:?}; take Kind::Text or a decimal"),
                ));
            }
        })
    }

    /// A word that [`Kind::from_code`] understands; plans carry it to sessions. For example,
    /// `decimal(12,2)` becomes `d12,2`.
    // Short, because a plan's state of 64 KiB holds a code and a name for each of its columns.
    pub(crate) fn code(self) -> String {
        match self {
            Kind::Text => "t".to_owned(),
            Kind::Number => "n".to_owned(),
            Kind::Boolean => "b".to_owned(),
            Kind::SmallInteger => "i2".to_owned(),
            Kind::Integer => "i4".to_owned(),
            Kind::BigInteger => "i8".to_owned(),
            Kind::Real => "f4".to_owned(),
            Kind::Double => "f8".to_owned(),
            Kind::Decimal(precision, scale) => format!("d{precision},{scale}"),
            Kind::Date => "day".to_owned(),
            Kind::Timestamp => "ts".to_owned(),
            Kind::Other => "o".to_owned(),
        }
    }

    // `day` begins with a `d` like the decimals, so it has to be matched before them.
    pub(crate) fn from_code(code: &str) -> Kind {
        match code {
            "t" => Kind::Text,
            "n" => Kind::Number,
            "b" => Kind::Boolean,
            "i2" => Kind::SmallInteger,
            "i4" => Kind::Integer,
            "i8" => Kind::BigInteger,
            "f4" => Kind::Real,
            "f8" => Kind::Double,
            "day" => Kind::Date,
            "ts" => Kind::Timestamp,
            other => {
                let sizes = other.strip_prefix('d').and_then(|sizes| sizes.split_once(','));
                let sizes = sizes.and_then(|(precision, scale)| {
                    Some((precision.parse().ok()?, scale.parse().ok()?))
                });
                sizes.map_or(Kind::Other, |(precision, scale)| Kind::Decimal(precision, scale))
            }
        }
    }
}

/// Whether the host found numbers with a fraction or an exponent in a column of text.
fn holds_numbers(field: &Field) -> bool {
    let logical = field.metadata().get(LOGICAL_TYPE);
    matches!(logical.map(String::as_str), Some("decimal" | "double"))
}

/// Refuses precisions from 19 to 37: Parquet stores them in a width that Redshift does not load
/// into a column of another precision. (For example, DECIMAL(20,2) is refused; DECIMAL(18,2) and
/// DECIMAL(38,2) are not.)
fn decimal_type(precision: u8, scale: u8) -> Result<DataType, Error> {
    if !(matches!(precision, 1..=18 | 38) && scale <= precision.min(37)) {
        let message = format!(
            "DECIMAL({precision},{scale}) cannot be loaded; precision is 1 to 18 or 38, scale at \
             most the precision and at most 37"
        );
        return Err(Error::new("bad-decimal", message));
    }
    Ok(DataType::Decimal128(precision, scale as i8))
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::SmallInteger => "smallint",
            Kind::Integer => "integer",
            Kind::BigInteger => "bigint",
            Kind::Real => "real",
            Kind::Double => "double",
            Kind::Decimal(precision, scale) => {
                return write!(formatter, "decimal({precision},{scale})");
            }
            Kind::Date => "date",
            Kind::Timestamp => "timestamp",
            Kind::Other => "another type",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_its_code() {
        use Kind::*;
        let scalars = [
            Text,
            Number,
            Boolean,
            SmallInteger,
            Integer,
            BigInteger,
            Real,
            Double,
            Date,
            Timestamp,
            Other,
        ];
        for kind in scalars.into_iter().chain([Decimal(38, 18), Decimal(5, 0)]) {
            assert_eq!(Kind::from_code(&kind.code()), kind);
            assert_eq!(Kind::of(&kind.field("a")), kind);
        }
    }

    #[test]
    fn decimals_that_parquet_cannot_carry_are_refused() {
        let refused = |precision, scale| Kind::Decimal(precision, scale).data_type().is_err();
        assert_eq!([(18, 18), (38, 37), (1, 0)].map(|(p, s)| refused(p, s)), [false; 3]);
        assert_eq!(
            [(0, 0), (19, 2), (37, 2), (38, 38), (5, 6), (39, 0)].map(|(p, s)| refused(p, s)),
            [true; 6]
        );
    }
}
