//! Archives that are not taken.

use std::io;

use loader_model::error::{Error, Kind};

/// The most members that are passed over, and the most bytes of one. They are read within one call,
/// so they must not take long.
pub(super) const MAX_PASSED: usize = 1000;
pub(super) const MAX_PASSED_BYTES: u64 = 16 * 1024 * 1024;

/// The error of an archive that is whole and has what is not read.
pub(super) fn refusal(with: &str, remedy: &str) -> io::Error {
    let fact = format!("the file is a ZIP archive with {with}; {remedy}");
    io::Error::other(Error::new(Kind::Data, fact))
}

/// The error of an archive that has come to harm.
pub(super) fn damaged(fact: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fact)
}

/// Says what the end of a stream means here.
pub(super) fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the archive has no end"),
        _ => error,
    }
}
