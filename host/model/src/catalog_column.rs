//! A column of a table, as the warehouse's catalog has it.

use crate::column_type::{ColumnType, UNTYPED};

/// A column of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogColumn {
    pub name: String,
    pub column_type: ColumnType,
    /// The type in the catalog's own words, such as `character varying(256)`. DDL takes them too,
    /// so a column of any type can be made alike.
    pub type_text: String,
    pub nullable: bool,
    /// Its number in the catalog: 1 for the first. The number of a column that was dropped is given
    /// to no other.
    pub number: i64,
    pub default: ColumnDefault,
}

impl CatalogColumn {
    /// Whether the column may have been made for a file without a value in it. As long as the table
    /// has none either, a later file gives the column its type.
    pub fn is_untyped(&self) -> bool {
        self.column_type == UNTYPED && self.nullable && self.default == ColumnDefault::None
    }
}

/// What a column gets where an INSERT does not name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnDefault {
    /// NULL.
    None,
    /// An expression, as the catalog writes it.
    Expression(String),
    /// The next number of an IDENTITY. `by_default`: an INSERT may give a value of its own.
    Identity { by_default: bool },
}

impl ColumnDefault {
    /// Reads the expression of PG_ATTRDEF: `"identity"(1, 0, '1,1'::text)` is an IDENTITY, and any
    /// other text is the expression of a DEFAULT.
    pub fn from_catalog(text: Option<&str>) -> ColumnDefault {
        match text {
            None => ColumnDefault::None,
            Some(text) if text.starts_with("\"identity\"") => {
                ColumnDefault::Identity { by_default: false }
            }
            Some(text) if text.starts_with("\"default_identity\"") => {
                ColumnDefault::Identity { by_default: true }
            }
            Some(text) => ColumnDefault::Expression(text.to_owned()),
        }
    }
}
