//! What is known once the warehouse has answered, for the parts that work in it.

use super::patient::Patient;
use super::warehouse::Connection;

/// The patient and what is known of it by now.
pub(super) struct Scene<'a> {
    pub(super) patient: &'a Patient,
    pub(super) connection: &'a Connection,
    /// Whether files can be delivered and staged.
    pub(super) bucket_works: bool,
}
