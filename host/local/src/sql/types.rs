//! Redshift's column types: read from DDL and casts, written for PostgreSQL. A length counts bytes;
//! `data_api/helpers` adds the check that PostgreSQL lacks. Types that Redshift has not are
//! refused.

use sqlparser::ast::{CharacterLength, DataType, ExactNumberInfo};

use super::SqlError;
use super::cursor::Cursor;
use super::lexer::TokenKind;

const MAX_VARCHAR: u64 = 65_535;
const MAX_CHAR: u64 = 4_096;
const DEFAULT_VARCHAR: u64 = 256;

/// A column type in PostgreSQL's words, and what ALTER wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnType {
    pub(crate) postgres: String,
    pub(crate) is_varchar: bool,
}

fn plain(postgres: &str) -> Result<ColumnType, SqlError> {
    Ok(ColumnType { postgres: postgres.to_owned(), is_varchar: false })
}

fn varchar(length: u64) -> Result<ColumnType, SqlError> {
    if length == 0 || length > MAX_VARCHAR {
        let message = match length {
            0 => "length for type character varying must be at least 1".to_owned(),
            _ => format!("length for type varchar cannot exceed {MAX_VARCHAR}"),
        };
        return Err(SqlError::new(message));
    }
    Ok(ColumnType { postgres: format!("varchar({length})"), is_varchar: true })
}

fn character(length: u64) -> Result<ColumnType, SqlError> {
    match length {
        0 => Err(SqlError::new("length for type character must be at least 1")),
        1..=MAX_CHAR => plain(&format!("char({length})")),
        _ => Err(SqlError::new(format!("length for type char cannot exceed {MAX_CHAR}"))),
    }
}

fn numeric(precision: u64, scale: u64) -> Result<ColumnType, SqlError> {
    if precision == 0 || precision > 38 {
        return Err(SqlError::new(format!(
            "DECIMAL precision {precision} must be between 1 and 38"
        )));
    }
    if scale > 37 || scale > precision {
        return Err(SqlError::new(format!(
            "DECIMAL scale {scale} must be between 0 and precision {precision}"
        )));
    }
    plain(&format!("numeric({precision},{scale})"))
}

/// Reads a type in a column definition.
pub(crate) fn column_type(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    if !matches!(cursor.kind(), Some(TokenKind::Word)) {
        return Err(cursor.syntax_error());
    }
    let name = cursor.text().to_ascii_lowercase();
    cursor.skip();
    let found = match name.as_str() {
        "smallint" | "int2" => plain("smallint"),
        "integer" | "int" | "int4" => plain("integer"),
        "bigint" | "int8" => plain("bigint"),
        "real" | "float4" => plain("real"),
        "float8" => plain("double precision"),
        "float" => {
            let digits = length(cursor)?.unwrap_or(53);
            plain(if digits <= 24 { "real" } else { "double precision" })
        }
        "double" => {
            cursor.expect("precision")?;
            plain("double precision")
        }
        "decimal" | "numeric" | "dec" => precision_and_scale(cursor),
        "boolean" | "bool" => plain("boolean"),
        "date" => plain("date"),
        "timestamp" | "timestamptz" | "time" | "timetz" => moment(cursor, &name),
        "text" => varchar(DEFAULT_VARCHAR),
        "varchar" | "nvarchar" => varchar(length(cursor)?.unwrap_or(DEFAULT_VARCHAR)),
        "bpchar" => character(256),
        "character" | "char" | "nchar" => {
            if cursor.eat("varying") {
                varchar(length(cursor)?.unwrap_or(DEFAULT_VARCHAR))
            } else {
                character(length(cursor)?.unwrap_or(1))
            }
        }
        "super" => plain("jsonb"),
        "varbyte" | "varbinary" => {
            length(cursor)?;
            plain("bytea")
        }
        "binary" => {
            cursor.eat("varying");
            length(cursor)?;
            plain("bytea")
        }
        "geometry" | "geography" | "hllsketch" | "interval" => {
            Err(SqlError::unsupported(&format!("type {name}")))
        }
        _ => Err(no_such_type(&name)),
    }?;
    if cursor.peeks("[") {
        return Err(SqlError::new(format!("column has unsupported type \"{name}[]\"")));
    }
    Ok(found)
}

fn no_such_type(name: &str) -> SqlError {
    let known = [
        "json",
        "jsonb",
        "uuid",
        "serial",
        "bigserial",
        "smallserial",
        "serial4",
        "serial8",
        "bytea",
        "money",
        "xml",
        "bit",
        "inet",
        "cidr",
        "macaddr",
        "hstore",
        "citext",
        "point",
        "tsvector",
        "int4range",
    ];
    if known.contains(&name) {
        return SqlError::new(format!("column has unsupported type \"{name}\""));
    }
    SqlError::new(format!("type \"{name}\" does not exist"))
}

fn moment(cursor: &mut Cursor<'_>, name: &str) -> Result<ColumnType, SqlError> {
    let base = name.trim_end_matches("tz");
    let zoned = name.ends_with("tz") || cursor.eat("with time zone");
    if !zoned {
        cursor.eat("without time zone");
    }
    plain(&if zoned { format!("{base} with time zone") } else { base.to_owned() })
}

fn length(cursor: &mut Cursor<'_>) -> Result<Option<u64>, SqlError> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let length = if cursor.eat("max") { MAX_VARCHAR } else { cursor.number()? };
    cursor.expect(")")?;
    Ok(Some(length))
}

fn precision_and_scale(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    if !cursor.eat("(") {
        return numeric(18, 0);
    }
    let precision = cursor.number()?;
    let scale = if cursor.eat(",") { cursor.number()? } else { 0 };
    cursor.expect(")")?;
    numeric(precision, scale)
}

/// Rewrites a cast's type where the engines differ, and refuses those that Redshift has not.
///
/// `CAST(x AS VARCHAR)` takes its length from `x` in both engines.
pub(crate) fn rewrite_cast(data_type: &mut DataType) -> Result<(), SqlError> {
    let name = match data_type {
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => {
            if *info == ExactNumberInfo::None {
                *info = ExactNumberInfo::PrecisionAndScale(18, 0);
            }
            return Ok(());
        }
        DataType::Varchar(Some(length))
        | DataType::CharacterVarying(Some(length))
        | DataType::Nvarchar(Some(length)) => {
            let bytes = match length {
                CharacterLength::Max => MAX_VARCHAR,
                CharacterLength::IntegerLength { length, .. } => *length,
            };
            varchar(bytes)?;
            *data_type = DataType::Varchar(Some(CharacterLength::IntegerLength {
                length: bytes,
                unit: None,
            }));
            return Ok(());
        }
        DataType::Nvarchar(None) => {
            *data_type = DataType::Varchar(None);
            return Ok(());
        }
        DataType::Custom(name, arguments) => {
            let name = name.to_string().to_ascii_lowercase();
            match name.as_str() {
                "super" if arguments.is_empty() => *data_type = DataType::JSONB,
                "varbyte" => *data_type = DataType::Bytea,
                _ => {}
            }
            return Ok(());
        }
        DataType::Varbinary(_) | DataType::Binary(_) => {
            *data_type = DataType::Bytea;
            return Ok(());
        }
        DataType::JSON => "json",
        DataType::JSONB => "jsonb",
        DataType::Uuid => "uuid",
        DataType::Bytea => "bytea",
        DataType::Array(_) => "array",
        DataType::Bit(_) | DataType::BitVarying(_) => "bit",
        _ => return Ok(()),
    };
    Err(no_such_type(name))
}
