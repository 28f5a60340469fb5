//! Redshift's column types: read from DDL, written for PostgreSQL. For example, `TEXT` becomes
//! `varchar(256)`. A length counts bytes; `data_api/helpers` adds the check that PostgreSQL lacks.
//! Types that Redshift does not have are refused.

use super::cursor::Cursor;
use super::error::SqlError;

/// The longest VARCHAR, in bytes.
pub(super) const MAX_VARCHAR: u64 = 65_535;
const MAX_CHAR: u64 = 4_096;
const DEFAULT_VARCHAR: u64 = 256;

/// A column type in PostgreSQL's words, and whether ALTER can change a column to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnType {
    pub(super) postgres: String,
    pub(super) is_varchar: bool,
}

fn plain(postgres: &str) -> Result<ColumnType, SqlError> {
    Ok(ColumnType { postgres: postgres.to_owned(), is_varchar: false })
}

/// A VARCHAR of `length` bytes.
pub(super) fn varchar(length: u64) -> Result<ColumnType, SqlError> {
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
pub(super) fn column_type(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    if !cursor.is_at_word() {
        return Err(cursor.syntax_error());
    }
    let name = cursor.text().to_ascii_lowercase();
    cursor.skip();
    let found = match fixed(&name) {
        Some(postgres) => plain(postgres),
        None => with_arguments(&name, cursor),
    }?;
    if cursor.peeks("[") {
        return Err(SqlError::new(format!("column has unsupported type \"{name}[]\"")));
    }
    Ok(found)
}

/// PostgreSQL's word for a type without arguments.
fn fixed(name: &str) -> Option<&'static str> {
    Some(match name {
        "smallint" | "int2" => "smallint",
        "integer" | "int" | "int4" => "integer",
        "bigint" | "int8" => "bigint",
        "real" | "float4" => "real",
        "float8" => "double precision",
        "boolean" | "bool" => "boolean",
        "date" => "date",
        "super" => "jsonb",
        _ => return None,
    })
}

/// A type that may go on behind its first word, with a length or another word.
// `CHARACTER VARYING` and `CHARACTER` share their first word. The guard that looks for VARYING
// takes it, so its arm must stand before the arm of the plain CHARACTER.
fn with_arguments(name: &str, cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    match name {
        "float" => {
            let digits = length(cursor)?.unwrap_or(53);
            plain(if digits <= 24 { "real" } else { "double precision" })
        }
        "double" => {
            cursor.expect("precision")?;
            plain("double precision")
        }
        "decimal" | "numeric" | "dec" => precision_and_scale(cursor),
        "timestamp" | "timestamptz" | "time" | "timetz" => moment(cursor, name),
        "text" => varchar(DEFAULT_VARCHAR),
        "varchar" | "nvarchar" => varchar(length(cursor)?.unwrap_or(DEFAULT_VARCHAR)),
        "bpchar" => character(256),
        "character" | "char" | "nchar" if cursor.eat("varying") => {
            varchar(length(cursor)?.unwrap_or(DEFAULT_VARCHAR))
        }
        "character" | "char" | "nchar" => character(length(cursor)?.unwrap_or(1)),
        "varbyte" | "varbinary" => binary(cursor),
        "binary" => {
            cursor.eat("varying");
            binary(cursor)
        }
        "geometry" | "geography" | "hllsketch" | "interval" => {
            Err(SqlError::unsupported(&format!("type {name}")))
        }
        _ => Err(no_such_type(name)),
    }
}

/// The refusal of a type that Redshift does not have.
pub(super) fn no_such_type(name: &str) -> SqlError {
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

/// A point in time, with a zone when the name ends in `tz` or WITH TIME ZONE comes next.
fn moment(cursor: &mut Cursor<'_>, name: &str) -> Result<ColumnType, SqlError> {
    let base = name.trim_end_matches("tz");
    let zoned = name.ends_with("tz") || cursor.eat("with time zone");
    if !zoned {
        cursor.eat("without time zone");
    }
    plain(&if zoned { format!("{base} with time zone") } else { base.to_owned() })
}

/// `[(n)]` behind VARBYTE. PostgreSQL's bytea has no length, so the length is not kept.
fn binary(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    length(cursor)?;
    plain("bytea")
}

/// `(n)` or `(MAX)`, if one of them comes next.
fn length(cursor: &mut Cursor<'_>) -> Result<Option<u64>, SqlError> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let length = if cursor.eat("max") { MAX_VARCHAR } else { cursor.number()? };
    cursor.expect(")")?;
    Ok(Some(length))
}

/// `(p, s)`, if it comes next; DECIMAL alone is DECIMAL(18,0).
fn precision_and_scale(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    if !cursor.eat("(") {
        return numeric(18, 0);
    }
    let precision = cursor.number()?;
    let scale = if cursor.eat(",") { cursor.number()? } else { 0 };
    cursor.expect(")")?;
    numeric(precision, scale)
}
