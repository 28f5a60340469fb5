//! Redshift's column types: as the catalog spells them, as DDL writes them, and what Arrow carries
//! into them.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html>

mod ddl;

use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

pub use ddl::TypeError;

/// The longest VARCHAR, in bytes.
pub const MAX_VARCHAR_BYTES: u32 = 65535;
/// Sizes that a VARCHAR gets. They are few, so that a table is seldom altered. (For example, a text
/// of 300 bytes makes a VARCHAR(1024), which a text of 900 bytes in the next file leaves as it is.)
const VARCHAR_LADDER: [u32; 5] = [256, 1024, 4096, 16384, MAX_VARCHAR_BYTES];

/// The most bytes of JSON that a SUPER takes.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html>, 16 MB.
pub const MAX_SUPER_BYTES: u32 = 16_000_000;

/// The type of a column whose file has no value in it: a VARCHAR of a size that nothing else gives,
/// so the catalog tells such columns at no cost. A later file may give them their type.
pub const UNTYPED: ColumnType = ColumnType::Varchar { bytes: 251 };

/// A column type of Redshift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnType {
    SmallInt,
    Integer,
    BigInt,
    Real,
    Double,
    Decimal {
        precision: u8,
        scale: i8,
    },
    Boolean,
    Date,
    Timestamp,
    TimestampTz,
    Time,
    TimeTz,
    /// JSON of any shape.
    Super,
    /// `bytes` counts UTF-8 bytes, not characters.
    Varchar {
        bytes: u32,
    },
    Char {
        bytes: u32,
    },
    /// `bytes`: the most that a value may have; `None` when DDL names no size.
    Varbyte {
        bytes: Option<u32>,
    },
    /// A type that the loader does not load into, in the catalog's spelling, such as `geometry`.
    Other(String),
}

impl ColumnType {
    /// Reads a type as `format_type` writes it, such as `numeric(12,2)`.
    // Where the catalog gives no size, the type gets the size that it has in DDL without one: CHAR
    // is CHAR(1), VARCHAR is VARCHAR(256), DECIMAL is DECIMAL(18,0).
    pub fn from_catalog(text: &str) -> ColumnType {
        let (name, sizes) = parts(text);
        let size = |place: usize| sizes.get(place).copied();
        match name.as_str() {
            "smallint" => ColumnType::SmallInt,
            "integer" => ColumnType::Integer,
            "bigint" => ColumnType::BigInt,
            "real" => ColumnType::Real,
            "double precision" => ColumnType::Double,
            "numeric" => ColumnType::Decimal {
                precision: size(0).and_then(|p| u8::try_from(p).ok()).unwrap_or(18),
                scale: size(1).and_then(|s| i8::try_from(s).ok()).unwrap_or(0),
            },
            "boolean" => ColumnType::Boolean,
            "date" => ColumnType::Date,
            "timestamp without time zone" => ColumnType::Timestamp,
            "timestamp with time zone" => ColumnType::TimestampTz,
            "time without time zone" => ColumnType::Time,
            "time with time zone" => ColumnType::TimeTz,
            "super" => ColumnType::Super,
            "character varying" => ColumnType::Varchar { bytes: size(0).unwrap_or(256) },
            "character" => ColumnType::Char { bytes: size(0).unwrap_or(1) },
            // No public source shows how the catalog spells a VARBYTE with its size.
            "binary varying" | "varbyte" => ColumnType::Varbyte { bytes: size(0) },
            _ => ColumnType::Other(text.to_owned()),
        }
    }

    /// The type that a new column gets; `None` for data that no type of Redshift takes.
    /// `max_bytes`: the length of the longest text in the column.
    pub fn for_new_column(data_type: &DataType, max_bytes: u32) -> Option<ColumnType> {
        Some(match data_type {
            DataType::Boolean => ColumnType::Boolean,
            DataType::Int8 | DataType::Int16 => ColumnType::SmallInt,
            DataType::Int32 => ColumnType::Integer,
            DataType::Int64 => ColumnType::BigInt,
            DataType::Float32 => ColumnType::Real,
            DataType::Float64 => ColumnType::Double,
            DataType::Decimal128(precision, scale) => {
                ColumnType::Decimal { precision: *precision, scale: *scale }
            }
            DataType::Date32 => ColumnType::Date,
            DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
            DataType::Utf8 => ColumnType::Varchar { bytes: varchar_for(max_bytes) },
            DataType::Binary => ColumnType::Varbyte { bytes: None },
            _ => return None,
        })
    }

    /// The Arrow type of the values that become this type: text where COPY cannot read the type from
    /// Parquet (see [`ColumnType::is_staged_as_text`]). `None` for types that the loader does not
    /// load into. What a part has for these values is [`part_type`].
    pub fn staged_as(&self) -> Option<DataType> {
        Some(match self {
            ColumnType::SmallInt => DataType::Int16,
            ColumnType::Integer => DataType::Int32,
            ColumnType::BigInt => DataType::Int64,
            ColumnType::Real => DataType::Float32,
            ColumnType::Double => DataType::Float64,
            ColumnType::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Date => DataType::Date32,
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            ColumnType::Varchar { .. } | ColumnType::Char { .. } => DataType::Utf8,
            text if text.is_staged_as_text() => DataType::Utf8,
            _ => return None,
        })
    }

    /// Whether a value is staged as text and becomes the type when it is inserted. COPY does not
    /// read these types from Parquet, or only from bytes that a CSV file does not have. (For
    /// example, `{"a": 1}` for a SUPER is staged as it stands in the file.)
    /// Source:
    /// <https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html>
    pub fn is_staged_as_text(&self) -> bool {
        matches!(
            self,
            ColumnType::TimestampTz
                | ColumnType::Time
                | ColumnType::TimeTz
                | ColumnType::Super
                | ColumnType::Varbyte { .. }
        )
    }

    /// The type of the staging table's column whose values become this type, unless they are staged
    /// as text (for that, see [`TargetColumn::stage_type`]): the type itself where COPY is known to
    /// read it from Parquet as the parts have it, else one that COPY is known to read and that holds
    /// every value of this type. For example, a DECIMAL(9,2) is staged as DECIMAL(18,2), since no
    /// source says that COPY reads the 32-bit integers that Parquet has for nine digits.
    ///
    /// No CAST is needed: scale and length are equal, so the assignment of the INSERT changes no
    /// value, and it refuses what does not fit, as COPY would.
    ///
    /// [`TargetColumn::stage_type`]: crate::target_column::TargetColumn::stage_type
    pub fn stage_type(&self) -> ColumnType {
        match self {
            ColumnType::Decimal { precision, scale } => {
                ColumnType::Decimal { precision: stage_precision(*precision), scale: *scale }
            }
            ColumnType::Char { bytes } => ColumnType::Varchar { bytes: *bytes },
            itself => itself.clone(),
        }
    }

    /// The most bytes that a text of this type may have; `None` for types that hold no text.
    pub fn text_bytes(&self) -> Option<u32> {
        match self {
            ColumnType::Varchar { bytes } | ColumnType::Char { bytes } => Some(*bytes),
            _ => None,
        }
    }
}

/// The Arrow type that a column of these values has in a part, which goes with
/// [`ColumnType::stage_type`]. For example, decimals of nine digits have 18 there.
pub fn part_type(values: &DataType) -> DataType {
    match values {
        DataType::Decimal128(precision, scale) => {
            DataType::Decimal128(stage_precision(*precision), *scale)
        }
        DataType::Int8 => DataType::Int16,
        itself => itself.clone(),
    }
}

/// The precision with which decimals are staged. Parquet has INT64 for 18 digits and 16 bytes for
/// 38, and COPY is known to read these two.
/// Source, for 18 and for 38:
/// <https://github.com/felipenoris/serialize-db/blob/0ce1f0e/tests/proof_of_concept/test_redshift.py>,
/// <https://github.com/dlt-hub/dlt/blob/58d66fc/tests/load/pipeline/test_pipelines.py>
fn stage_precision(precision: u8) -> u8 {
    if precision <= 18 { 18 } else { 38 }
}

/// A type's name and the numbers in its brackets: `numeric(12,2)` is `numeric` with 12 and 2. The
/// brackets may stand inside the name, as in `timestamp(6) without time zone`.
fn parts(text: &str) -> (String, Vec<u32>) {
    let Some((before, rest)) = text.split_once('(') else { return (text.to_owned(), Vec::new()) };
    let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
    let sizes = inside.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    (format!("{}{after}", before.trim_end()), sizes)
}

/// The step of the ladder that holds a text of so many bytes.
pub(crate) fn varchar_for(max_bytes: u32) -> u32 {
    // A longer text fits into no VARCHAR. Its row is rejected later, so the column gets the longest
    // size for the other rows.
    VARCHAR_LADDER.into_iter().find(|size| max_bytes <= *size).unwrap_or(MAX_VARCHAR_BYTES)
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::SmallInt => f.write_str("SMALLINT"),
            ColumnType::Integer => f.write_str("INTEGER"),
            ColumnType::BigInt => f.write_str("BIGINT"),
            ColumnType::Real => f.write_str("REAL"),
            ColumnType::Double => f.write_str("DOUBLE PRECISION"),
            ColumnType::Decimal { precision, scale } => write!(f, "DECIMAL({precision},{scale})"),
            ColumnType::Boolean => f.write_str("BOOLEAN"),
            ColumnType::Date => f.write_str("DATE"),
            ColumnType::Timestamp => f.write_str("TIMESTAMP"),
            ColumnType::Varchar { bytes } => write!(f, "VARCHAR({bytes})"),
            ColumnType::Char { bytes } => write!(f, "CHAR({bytes})"),
            ColumnType::Varbyte { bytes: None } => f.write_str("VARBYTE"),
            ColumnType::Varbyte { bytes: Some(bytes) } => write!(f, "VARBYTE({bytes})"),
            ColumnType::TimestampTz => f.write_str("TIMESTAMPTZ"),
            ColumnType::Time => f.write_str("TIME"),
            ColumnType::TimeTz => f.write_str("TIMETZ"),
            ColumnType::Super => f.write_str("SUPER"),
            ColumnType::Other(spelling) => f.write_str(&spelling.to_uppercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glue_jobs_types_are_kept() {
        let arrow = [
            (DataType::Utf8, "VARCHAR(256)"),
            (DataType::Int32, "INTEGER"),
            (DataType::Int64, "BIGINT"),
            (DataType::Float32, "REAL"),
            (DataType::Float64, "DOUBLE PRECISION"),
            (DataType::Boolean, "BOOLEAN"),
            (DataType::Date32, "DATE"),
            (DataType::Timestamp(TimeUnit::Microsecond, None), "TIMESTAMP"),
            (DataType::Decimal128(38, 18), "DECIMAL(38,18)"),
            (DataType::Binary, "VARBYTE"),
        ];
        for (data_type, expected) in arrow {
            let column =
                ColumnType::for_new_column(&data_type, 10).map(|column| column.to_string());
            assert_eq!(column.as_deref(), Some(expected));
        }
        assert_eq!(ColumnType::for_new_column(&DataType::Null, 0), None);
    }

    #[test]
    fn a_created_type_reads_back_from_the_catalog_and_stages_as_itself() {
        let created = [
            ("double precision", ColumnType::Double),
            ("numeric(12,2)", ColumnType::Decimal { precision: 12, scale: 2 }),
            ("numeric", ColumnType::Decimal { precision: 18, scale: 0 }),
            ("character varying(300)", ColumnType::Varchar { bytes: 300 }),
            ("character(3)", ColumnType::Char { bytes: 3 }),
            ("timestamp without time zone", ColumnType::Timestamp),
            ("timestamp(6) without time zone", ColumnType::Timestamp),
            ("binary varying(10)", ColumnType::Varbyte { bytes: Some(10) }),
            ("varbyte(10)", ColumnType::Varbyte { bytes: Some(10) }),
            ("binary varying", ColumnType::Varbyte { bytes: None }),
            ("geometry(4326)", ColumnType::Other("geometry(4326)".into())),
        ];
        for (text, column_type) in created {
            assert_eq!(ColumnType::from_catalog(text), column_type, "{text}");
        }
        let decimal = ColumnType::from_catalog("numeric(12,2)");
        assert_eq!(decimal.staged_as(), Some(DataType::Decimal128(12, 2)));
        assert_eq!(ColumnType::from_catalog("super").staged_as(), Some(DataType::Utf8));
        assert_eq!(ColumnType::from_catalog("geometry").staged_as(), None);
    }

    #[test]
    fn what_copy_is_not_known_to_read_is_staged_as_a_type_that_holds_it() {
        let decimal = |precision| ColumnType::Decimal { precision, scale: 1 };
        for (column, staged) in [
            (decimal(1), "DECIMAL(18,1)"),
            (decimal(9), "DECIMAL(18,1)"),
            (decimal(18), "DECIMAL(18,1)"),
            (decimal(19), "DECIMAL(38,1)"),
            (decimal(38), "DECIMAL(38,1)"),
            (ColumnType::Char { bytes: 7 }, "VARCHAR(7)"),
            (ColumnType::Varchar { bytes: 300 }, "VARCHAR(300)"),
            (ColumnType::SmallInt, "SMALLINT"),
            (ColumnType::Integer, "INTEGER"),
            (ColumnType::BigInt, "BIGINT"),
            (ColumnType::Real, "REAL"),
            (ColumnType::Double, "DOUBLE PRECISION"),
            (ColumnType::Boolean, "BOOLEAN"),
            (ColumnType::Date, "DATE"),
            (ColumnType::Timestamp, "TIMESTAMP"),
        ] {
            let stage = column.stage_type();
            assert_eq!(stage.to_string(), staged, "{column}");
            let values = column.staged_as().expect("it is loaded into");
            assert_eq!(Some(part_type(&values)), stage.staged_as(), "{column}");
        }
        assert_eq!(part_type(&DataType::Int8), DataType::Int16);
    }

    #[test]
    fn varchar_sizes_are_steps() {
        assert_eq!([0, 256, 257, 5000, 70000].map(varchar_for), [256, 256, 1024, 16384, 65535]);
    }
}
