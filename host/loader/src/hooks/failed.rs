//! Why a hook did not work.

/// Why a hook did not work.
pub(super) struct Failed {
    pub(super) why: String,
    /// Whether it may work another time.
    pub(super) passes: bool,
}
