//! What can go wrong with a test itself, as opposed to what it finds out.

use std::path::PathBuf;

use loader_csv::CsvError;
use loader_sandbox::PluginError;

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// The plugin cannot be loaded, refused its config or its input, or failed on a row.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// The input is no CSV.
    #[error("the input: {0}")]
    Csv(#[from] CsvError),
    /// The input cannot be made into rows.
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
    /// A file of a test case does not say what it should.
    #[error("{}: {fact}", path.display())]
    Case {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fact: String,
    },
}

impl HarnessError {
    /// For `map_err`: the file that could not be used.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> HarnessError {
        let path = path.into();
        move |source| HarnessError::File { path, source }
    }
}
