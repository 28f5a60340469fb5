//! Why a plugin could not be built.

/// Why a plugin could not be built, in sentences for the person who typed the command.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(String);

pub(crate) type Result<T> = std::result::Result<T, BuildError>;

pub(crate) fn failure<T>(message: impl Into<String>) -> Result<T> {
    Err(BuildError(message.into()))
}
