//! The pieces of a file that are looked at.

/// The bytes at the beginning of a file that [`Sample::beginning`] should have, unless the file has
/// fewer.
const BEGINNING_BYTES: usize = 256 * 1024;
/// The bytes of [`Sample::middle`] and of [`Sample::end`].
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces of a file's content, decompressed. What is over the sizes named here is not looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample<'a> {
    pub beginning: &'a [u8],
    /// A piece from anywhere behind the beginning; empty if there is none.
    pub middle: &'a [u8],
    /// The last bytes of the file; empty where they are not known, or are in `beginning`.
    pub end: &'a [u8],
    /// Whether `beginning` is the whole file.
    pub is_whole: bool,
}

impl<'a> Sample<'a> {
    pub const BEGINNING_BYTES: usize = BEGINNING_BYTES;
    pub const PIECE_BYTES: usize = PIECE_BYTES;

    /// The sample of a file that is at hand as a whole.
    pub fn of_whole(content: &'a [u8]) -> Sample<'a> {
        let beginning = &content[..content.len().min(BEGINNING_BYTES)];
        let rest = &content[beginning.len()..];
        let end = &rest[rest.len() - rest.len().min(PIECE_BYTES)..];
        let between = &rest[..rest.len() - end.len()];
        let middle = &between[between.len() / 2..];
        let middle = &middle[..middle.len().min(PIECE_BYTES)];
        Sample { beginning, middle, end, is_whole: rest.is_empty() }
    }

    /// The same pieces, none over its size.
    pub(crate) fn bounded(self) -> Sample<'a> {
        let first = |bytes: &'a [u8], size: usize| &bytes[..bytes.len().min(size)];
        let end = &self.end[self.end.len() - self.end.len().min(PIECE_BYTES)..];
        let is_whole = self.is_whole && self.beginning.len() <= BEGINNING_BYTES;
        Sample {
            beginning: first(self.beginning, BEGINNING_BYTES),
            middle: first(self.middle, PIECE_BYTES),
            end,
            is_whole,
        }
    }
}
