//! What is done with files, with which of those that failed before, and what ends it.

use loader_aws::stop::Stop;

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

/// The wishes to stop.
#[derive(Clone)]
pub(crate) struct Stops {
    /// No further load is begun.
    pub(crate) before_next: Stop,
    /// The load that goes on ends, too.
    pub(crate) at_once: Stop,
}
