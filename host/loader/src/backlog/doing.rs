//! What is done with files, and with which of those that failed before.

/// Which of the files that failed before are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Those for which something has changed since then.
    IfChanged,
    /// All of them.
    Always,
    /// These alone.
    Only,
}

/// What is done with the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Load(Again),
    /// Only say what loads would do.
    Preview,
}
