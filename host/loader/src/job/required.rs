//! Settings that a load cannot do without, files that settings name, and the errors for both.

use std::path::Path;

use loader_model::error::{Context, Error, Kind, Result};

use crate::settings::sources::variable_of;

/// A setting that a load cannot do without. Errors: `Config`, naming every way to give it. (For
/// example, `--target-table`, `LOADER_TARGET_TABLE` and the key `target-table`.)
pub(super) fn required<'a>(value: Option<&'a String>, flag: &str) -> Result<&'a String> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        let key = flag.trim_start_matches('-');
        let variable = variable_of(key);
        config(format!("{flag} is missing (or {variable}, or `{key}` in the settings file)"))
    })
}

/// The text of a file that a setting names. Errors: `Config`.
pub(super) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .context(Kind::Config, format!("{} cannot be read", path.display()))
}

/// An error of kind `Config`.
pub(super) fn config(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, message)
}
