//! What must be given, and how a setting that is missing or wrong is named.

use loader_model::error::{Error, Kind, Result};

/// A setting that a load cannot do without. Errors: `Config`, naming flag, variable and key.
pub(super) fn required<'a>(value: Option<&'a String>, flag: &str) -> Result<&'a String> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| {
        let variable =
            format!("LOADER_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
        config(format!(
            "{flag} is missing (or {variable}, or `{}` in the settings file)",
            flag.trim_start_matches('-')
        ))
    })
}

/// An error of kind `Config`.
pub(super) fn config(message: impl Into<String>) -> Error {
    Error::new(Kind::Config, message)
}
