//! What an error of the CSV reader or of a plugin means for a load.
//!
//! In: an error of another crate. Out: an error of this program, whose kind decides the exit code
//! and where the file goes.

use loader_csv::{CsvError, CsvErrorKind, Ragged};
use loader_model::error::{Error, Kind};
use loader_sandbox::{PluginError, PluginErrorKind};

use crate::content::Source;
use crate::listing::some_of;

/// Makes an error of a mistake in the file's content, with its place in `source`. The caller adds
/// the file's address.
pub(crate) fn csv_failure(mut error: CsvError, source: &Source) -> Error {
    let fact = in_words_with_advice(&error, source);
    if let Err(failure) = source.locate([&mut error.position]) {
        return failure;
    }
    let aside = match error.kind {
        // The header, or a mistake behind which nothing can be read.
        _ if error.position.record == 0 => "",
        _ => "; or set such rows aside with --max-rejects",
    };
    Error::new(Kind::Data, format!("{}: {fact}{aside}", error.position))
}

/// As [`in_words`], with what the bytes around the mistake show.
pub(crate) fn in_words_with_advice(error: &CsvError, source: &Source) -> String {
    let fact = in_words(&error.kind, source);
    match error.kind {
        CsvErrorKind::InvalidUtf8 => format!("{fact}; {}", source.advice(error.position.byte)),
        _ => fact,
    }
}

/// A mistake in words, with the setting by which such a row is read, if there is one.
pub(crate) fn in_words(kind: &CsvErrorKind, source: &Source) -> String {
    let setting = match kind {
        CsvErrorKind::InvalidUtf8 => return source.fact_of_bytes(),
        CsvErrorKind::RaggedRow { ragged: Ragged::Short, .. } => {
            ", or have what is missing filled with NULL by --short-rows fill"
        }
        CsvErrorKind::RaggedRow { ragged: Ragged::Footer, .. } => {
            ", or leave the last line out with --skip-footer 1"
        }
        CsvErrorKind::RaggedRow { ragged: Ragged::TrailingDelimiter, .. } => {
            ", or have such fields dropped by --trailing-delimiter allow"
        }
        CsvErrorKind::BareQuote => ", or have such quotes loaded as text by --quotes lenient",
        _ => "",
    };
    format!("{kind}{setting}")
}

/// Refuses a file that has another number of columns than `--column-names` has names. `columns` are
/// those of the file.
pub(crate) fn wrong_column_names(names: usize, columns: &[String]) -> Error {
    let fact = format!(
        "--column-names has {names} names, the file has {} columns: {}",
        columns.len(),
        some_of(columns)
    );
    Error::new(Kind::Config, fact)
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
