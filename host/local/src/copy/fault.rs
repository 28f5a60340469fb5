//! Why a field or a record cannot be loaded, as STL_LOAD_ERRORS says it.

/// Why a field cannot be loaded: the error's number and words, for example 1204 and
/// `String length exceeds DDL length`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: i32,
    pub(crate) reason: String,
}

pub(crate) fn fault(code: i32, reason: impl Into<String>) -> Fault {
    Fault { code, reason: reason.into() }
}
