//! Text that is made while it is read.

use std::io::{self, Read};

use loader_model::error::Result;

/// Makes a text, piece by piece.
pub(crate) trait Maker {
    /// Appends the next piece to a text that is empty; nothing at the end.
    fn make(&mut self, text: &mut Vec<u8>) -> Result<()>;
}

/// Reads what a maker makes. An error of reading is one of this program, wrapped.
pub(crate) struct MadeText<M> {
    maker: M,
    text: Vec<u8>,
    handed_out: usize,
}

impl<M: Maker> MadeText<M> {
    pub(crate) fn new(maker: M) -> MadeText<M> {
        MadeText { maker, text: Vec::new(), handed_out: 0 }
    }
}

impl<M: Maker> Read for MadeText<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.handed_out == self.text.len() {
            self.text.clear();
            self.handed_out = 0;
            self.maker.make(&mut self.text).map_err(io::Error::other)?;
        }
        let mut rest = &self.text[self.handed_out..];
        let read = rest.read(buffer)?;
        self.handed_out += read;
        Ok(read)
    }
}
