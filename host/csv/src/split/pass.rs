//! Where the splitter is: what the bytes are part of, and the scan through a piece of them.

use serde::{Deserialize, Serialize};

/// What the bytes are part of. Within a piece, a look at the next byte decides about quotes and
/// escapes at once. `QuotedQuote` and `Escaped` exist only between two pieces, when that byte has
/// not come yet; `Splitter::resume` leaves them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Open,
    Comment,
    Quoted,
    /// After a quote in a quoted field: the next byte says whether it was doubled.
    QuotedQuote,
    /// After an escape: the next byte is plain.
    Escaped,
}

/// A place that no byte has. Comparing with it is cheaper than with an `Option`.
pub(super) const NOWHERE: usize = usize::MAX;

/// The scan through a piece.
pub(super) struct Pass<'a> {
    pub(super) bytes: &'a [u8],
    /// The place of a character that a quote or an escape before it made plain, or [`NOWHERE`].
    pub(super) plain: usize,
    /// Where the last stretch outside of quotes begins, and where the last quoted field opened.
    pub(super) open_from: usize,
    pub(super) opened_at: Option<usize>,
}
