//! Types as DDL writes them, and as users write them in settings.
//!
//! In: a text such as `decimal(12,2)`. Out: the type, or what types there are.

use std::fmt;

use super::{ColumnType, MAX_VARCHAR_BYTES, parts};

/// The longest CHAR, in bytes.
const MAX_CHAR_BYTES: u32 = 4096;
/// The longest VARBYTE, in bytes.
const MAX_VARBYTE_BYTES: u32 = 16_777_216;

/// A text that is no type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError(String);

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no type that a column can have; there are text, smallint, integer, bigint, \
             decimal(12,2) with any precision and scale, real, double, boolean, date, timestamp, \
             timestamptz, time, timetz, super, varchar(100) and char(10) with any length, and \
             varbyte",
            self.0
        )
    }
}

impl std::error::Error for TypeError {}

impl ColumnType {
    /// Reads a type as DDL writes it, in any case, by any of its names, such as `decimal(12,2)` or
    /// `int8`. A VARCHAR needs its size here, and a DECIMAL precision and scale: those that DDL adds
    /// are seldom meant.
    ///
    /// Errors: what a type must be like, for messages.
    pub fn from_ddl(text: &str) -> Result<ColumnType, TypeError> {
        let (name, sizes) = parts(&text.trim().to_ascii_lowercase());
        let catalog = match name.as_str() {
            "int2" => "smallint",
            "int" | "int4" => "integer",
            "int8" => "bigint",
            "float4" => "real",
            "double" | "float" | "float8" => "double precision",
            "decimal" => "numeric",
            "bool" => "boolean",
            "timestamp" => "timestamp without time zone",
            "timestamptz" => "timestamp with time zone",
            "time" => "time without time zone",
            "timetz" => "time with time zone",
            "varchar" | "nvarchar" => "character varying",
            "char" | "nchar" | "bpchar" => "character",
            "varbinary" => "varbyte",
            name => name,
        };
        let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
        let in_brackets = |sizes: &[String]| format!("{catalog}({})", sizes.join(","));
        let column_type = match sizes.as_slice() {
            [] => ColumnType::from_catalog(catalog),
            sizes => ColumnType::from_catalog(&in_brackets(sizes)),
        };
        column_type.checked(&sizes).ok_or_else(|| TypeError(text.to_owned()))
    }

    /// The type, if Redshift has such a type and its sizes are given.
    fn checked(self, sizes: &[String]) -> Option<ColumnType> {
        let is_sized =
            |at_most: u32, bytes: u32| sizes.len() == 1 && (1..=at_most).contains(&bytes);
        let is_right = match &self {
            ColumnType::Other(_) => false,
            ColumnType::Decimal { precision, scale } => {
                let (precision, scale) = (i16::from(*precision), i16::from(*scale));
                sizes.len() == 2
                    && (1..=38).contains(&precision)
                    && (0..=precision).contains(&scale)
            }
            ColumnType::Varchar { bytes } => is_sized(MAX_VARCHAR_BYTES, *bytes),
            ColumnType::Char { bytes } => is_sized(MAX_CHAR_BYTES, *bytes),
            ColumnType::Varbyte { bytes } => {
                bytes.is_none_or(|bytes| is_sized(MAX_VARBYTE_BYTES, bytes))
            }
            _ => sizes.is_empty(),
        };
        is_right.then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_ddl_writes_them() {
        let read = |text: &str| match ColumnType::from_ddl(text) {
            Ok(column_type) => column_type.to_string(),
            Err(_) => "refused".to_owned(),
        };
        for (text, expected) in [
            ("integer", "INTEGER"),
            ("INT8", "BIGINT"),
            ("decimal(12, 2)", "DECIMAL(12,2)"),
            ("Numeric(38,0)", "DECIMAL(38,0)"),
            ("double", "DOUBLE PRECISION"),
            ("double precision", "DOUBLE PRECISION"),
            ("bool", "BOOLEAN"),
            ("timestamp", "TIMESTAMP"),
            ("timestamp without time zone", "TIMESTAMP"),
            ("timestamptz", "TIMESTAMPTZ"),
            (" super ", "SUPER"),
            ("varchar(100)", "VARCHAR(100)"),
            ("char(3)", "CHAR(3)"),
            ("varbyte", "VARBYTE"),
            ("decimal", "refused"),
            ("decimal(12)", "refused"),
            ("decimal(39,2)", "refused"),
            ("decimal(2,3)", "refused"),
            ("varchar", "refused"),
            ("varchar(0)", "refused"),
            ("varchar(65536)", "refused"),
            ("varchar(max)", "refused"),
            ("char(4097)", "refused"),
            ("integer(4)", "refused"),
            ("geometry", "refused"),
            ("", "refused"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
