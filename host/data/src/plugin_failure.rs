//! What a plugin's failure means for a load.

use loader_model::error::{Error, Kind};
use loader_sandbox::{PluginError, PluginErrorKind};

/// Makes a plugin's failure ours.
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
