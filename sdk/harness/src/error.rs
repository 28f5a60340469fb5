//! What can go wrong with a test itself, as opposed to what the test finds out about the plugin.

use std::path::PathBuf;

use loader_csv::CsvError;
use loader_sandbox::PluginError;

/// Why a run has no output.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The plugin cannot be loaded, refused its config or its input, or failed on a row.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The input cannot be read as CSV. For example, a row has one field more than the header.
    #[error("the input: {0}")]
    Csv(#[from] CsvError),
    /// The input cannot be made into rows of the types that the case or the plugin asks for.
    #[error("the input: {0}")]
    Input(String),
    /// A file cannot be read or written.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        source: std::io::Error,
    },
    /// A file of a test case cannot be understood, such as a `config.toml` that is not TOML.
    #[error("{}: {fact}", path.display())]
    Case {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fact: String,
    },
}

impl HarnessError {
    /// Names the file that could not be used; for `map_err`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> HarnessError {
        let path = path.into();
        move |source| HarnessError::File { path, source }
    }
}
