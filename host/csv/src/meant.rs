//! What a file says by itself of the values of a column. CSV says nothing; JSON tells strings from
//! numbers, and Parquet has types.

use serde::{Deserialize, Serialize};

use crate::logical::LogicalType;

/// What a file says of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Meant {
    /// Strings, which are no numbers: `"12"` is text. They may be dates, for which JSON has no type.
    Strings,
    /// Numbers, however they are spelt: `12E4` is no part number.
    Numbers,
    /// Values of this type.
    Type {
        logical: LogicalType,
        /// Precision and scale of a `Decimal`.
        decimal: Option<(u8, u8)>,
    },
}
