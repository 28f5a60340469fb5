//! What an error of the CSV reader or of a plugin means for a load.
//!
//! In: an error of another crate. Out: an error of this program, whose kind decides the exit code
//! and where the file goes.

use loader_csv::CsvError;
use loader_model::error::{Error, Kind};
use loader_sandbox::{PluginError, PluginErrorKind};

/// Makes an error of a mistake in the file's content, with its place. The caller adds the file's
/// address.
pub(crate) fn csv_failure(error: CsvError) -> Error {
    Error::new(Kind::Data, error.to_string())
}

/// Makes an error of a plugin's failure. For example, a plugin that runs out of memory gives the
/// kind `Plugin`.
pub fn plugin_failure(error: PluginError) -> Error {
    let kind = match error.kind() {
        PluginErrorKind::Config => Kind::Config,
        PluginErrorKind::Host => Kind::Internal,
        PluginErrorKind::NotAPlugin
        | PluginErrorKind::ContractVersion
        | PluginErrorKind::ForbiddenImport
        | PluginErrorKind::Refused
        | PluginErrorKind::Trap
        | PluginErrorKind::Limit
        | PluginErrorKind::Protocol => Kind::Plugin,
    };
    Error::new(kind, error.to_string())
}
