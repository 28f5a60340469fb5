//! The types of casts in queries. In: a type as sqlparser read it. Out: the same type in
//! PostgreSQL's words, or the refusal of a type that Redshift does not have.

use sqlparser::ast::{CharacterLength, DataType, ExactNumberInfo};

use crate::sql::error::SqlError;
use crate::sql::types::{MAX_VARCHAR, no_such_type, varchar};

/// Rewrites a cast's type where the engines differ, and refuses a type that Redshift does not have.
///
/// `CAST(x AS VARCHAR)` takes its length from `x` in both engines. DECIMAL without digits is
/// DECIMAL(18,0) in Redshift and a number of any size in PostgreSQL: `1.5::decimal` is 2.
// A cast must not be rewritten twice: SUPER becomes JSONB, and the second time JSONB is refused as
// a type that Redshift does not have.
pub(super) fn rewrite_cast(data_type: &mut DataType) -> Result<(), SqlError> {
    match data_type {
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => {
            if *info == ExactNumberInfo::None {
                *info = ExactNumberInfo::PrecisionAndScale(18, 0);
            }
        }
        DataType::Varchar(Some(length))
        | DataType::CharacterVarying(Some(length))
        | DataType::Nvarchar(Some(length)) => {
            let length = bytes(length);
            varchar(length)?;
            let length = CharacterLength::IntegerLength { length, unit: None };
            *data_type = DataType::Varchar(Some(length));
        }
        DataType::Nvarchar(None) => *data_type = DataType::Varchar(None),
        DataType::Varbinary(_) | DataType::Binary(_) => *data_type = DataType::Bytea,
        DataType::Custom(name, arguments) => match name.to_string().to_ascii_lowercase().as_str() {
            "super" if arguments.is_empty() => *data_type = DataType::JSONB,
            "varbyte" => *data_type = DataType::Bytea,
            _ => {}
        },
        other => return refused(other).map_or(Ok(()), |name| Err(no_such_type(name))),
    }
    Ok(())
}

fn bytes(length: &CharacterLength) -> u64 {
    match length {
        CharacterLength::Max => MAX_VARCHAR,
        CharacterLength::IntegerLength { length, .. } => *length,
    }
}

/// The name of a type that PostgreSQL has and Redshift does not.
fn refused(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::JSON => Some("json"),
        DataType::JSONB => Some("jsonb"),
        DataType::Uuid => Some("uuid"),
        DataType::Bytea => Some("bytea"),
        DataType::Array(_) => Some("array"),
        DataType::Bit(_) | DataType::BitVarying(_) => Some("bit"),
        _ => None,
    }
}
