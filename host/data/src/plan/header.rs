//! The names of the file's columns, before any plugin sees them.
//!
//! In: the header as it stands in the file, and the names that the user gives. Out: the header that
//! is planned with.

use loader_csv::Header;
use loader_model::error::{Error, Kind, Result};

use super::input::PlanInput;
use super::names::some_of;

/// The header with the names of `--column-names`, or as it is in the file.
///
/// Errors: `Config` when there are more or fewer names than columns.
pub(super) fn named(input: &PlanInput<'_>) -> Result<Header> {
    let Some(names) = input.column_names else { return Ok(input.header.clone()) };
    let columns = input.header.names.len();
    if names.len() != columns {
        let fact = format!(
            "--column-names has {} names, the file has {columns} columns: {}",
            names.len(),
            some_of(&input.header.names)
        );
        return Err(Error::new(Kind::Config, fact));
    }
    Ok(Header { names: names.to_vec() })
}
