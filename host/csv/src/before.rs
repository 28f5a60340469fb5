//! The last bytes before a piece of the file: they tell what a field or a line in the next piece
//! begins behind.

use serde::{Deserialize, Serialize};

use crate::dialect::Rules;
use crate::lines::is_line_end;

/// The last four bytes before a piece, line ends at the start: enough to see that the piece begins
/// a line, or goes on in the line behind a byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Before([u8; 4]);

impl Before {
    pub(crate) fn new() -> Before {
        Before([b'\n'; 4])
    }

    /// The byte before the piece.
    pub(crate) fn last(&self) -> u8 {
        self.0[3]
    }

    /// Whether a byte order mark stands before `bytes[at]` and begins a line.
    pub(crate) fn is_mark(&self, bytes: &[u8], at: usize, rules: &Rules) -> bool {
        let before = self.at(bytes, at);
        rules.mark_length(&before[1..]) > 0 && is_line_end(before[0])
    }

    /// Moves behind the piece. A line end at `plain` was part of a field, so no line begins there.
    pub(crate) fn feed(&mut self, bytes: &[u8], plain: usize) {
        self.0 = self.at(bytes, bytes.len());
        let from_end = bytes.len().checked_sub(plain);
        let byte = from_end.and_then(|n| 4usize.checked_sub(n)).and_then(|at| self.0.get_mut(at));
        if let Some(byte) = byte.filter(|byte| is_line_end(**byte)) {
            *byte = 0;
        }
    }

    fn at(&self, bytes: &[u8], at: usize) -> [u8; 4] {
        std::array::from_fn(|index| match (at + index).checked_sub(4) {
            Some(place) => bytes.get(place).copied().unwrap_or(0),
            None => self.0[at + index],
        })
    }
}
