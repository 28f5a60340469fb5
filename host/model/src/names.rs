//! The names that all crates share, parsed once: addresses in S3 and tables. Also how instants and
//! bytes are spelt in names.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// The address of one S3 object.
///
/// - the bucket is not empty and holds no `/`
/// - the key is not empty; any UTF-8 is allowed in it
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Uri {
    /// Bucket name.
    pub bucket: String,
    /// Object key, not URL-encoded.
    pub key: String,
}

impl S3Uri {
    /// The object `key` of `bucket`.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> S3Uri {
        S3Uri { bucket: bucket.into(), key: key.into() }
    }

    /// The part of the key behind its last `/`, such as `orders.csv` of `data/in/orders.csv`.
    pub fn file_name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or(&self.key)
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A table with its schema. ASCII letters are lower case, as Redshift folds identifiers, quoted or
/// not; other letters stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// Schema, such as `public`.
    pub schema: String,
    /// Table within the schema.
    pub table: String,
}

impl TableName {
    /// Checks both parts and folds them to lower case. Errors: `Config` for a part that is empty,
    /// has more bytes than Redshift's 127, or has a control character.
    /// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_names.html>
    pub fn new(schema: &str, table: &str) -> Result<TableName> {
        for part in [schema, table] {
            // Redshift counts bytes: 64 times `ä` has 128 of them and is too long.
            if part.is_empty() || part.len() > 127 || part.chars().any(char::is_control) {
                let fact = format!(
                    "`{part}` cannot be a name in Redshift: 1 to 127 bytes, no control characters"
                );
                return Err(Error::new(Kind::Config, fact));
            }
        }
        Ok(TableName { schema: schema.to_ascii_lowercase(), table: table.to_ascii_lowercase() })
    }

    /// Another table of the same schema.
    pub fn sibling(&self, table: &str) -> TableName {
        TableName { schema: self.schema.clone(), table: table.to_owned() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// Formats an instant in UTC with a `strftime` pattern.
pub fn utc(at: Timestamp, pattern: &str) -> String {
    at.to_zoned(TimeZone::UTC).strftime(pattern).to_string()
}

/// A text as a folder's name: `Orders (2024).csv` becomes `orders_2024_csv`.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.to_lowercase().chars() {
        let letter = if letter.is_ascii_alphanumeric() { letter } else { '_' };
        // A run of other characters becomes a single `_`.
        if letter != '_' || !out.ends_with('_') {
            out.push(letter);
        }
    }
    out.trim_matches('_').to_owned()
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
