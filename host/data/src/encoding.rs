//! Encodings: a file in another one than UTF-8 is read as UTF-8.
//!
//! In: the decompressed bytes, and the encoding that the user names, if any. Out: the same text in
//! UTF-8. A byte order mark decides without a setting; nothing else is guessed (`head`).
//! `transcode` turns a malformed sequence into a byte that no UTF-8 has, so that the checks of rows
//! find it, and never into a replacement character. `watch` sees whether the source is UTF-8 all the
//! same. `places` knows where each byte of the UTF-8 stands in the source, and `words` says what is
//! wrong with a sequence. A file in UTF-8 passes as it is.

mod decode;
mod head;
mod label;
mod places;
#[cfg(test)]
mod properties;
mod transcode;
mod watch;
mod words;

use std::io::{Cursor, Read};
use std::sync::Arc;

use loader_model::error::{Error, Kind, Result};

use crate::decompress::read_failure;
pub use label::Encoding;
pub(crate) use places::Places;
use transcode::Transcoder;
pub(crate) use words::{advice, fact};

/// A file's bytes in UTF-8, as they come.
pub(crate) struct Decoded {
    pub(crate) text: Box<dyn Read + Send>,
    pub(crate) encoding: Encoding,
    /// `None`: the text is the source itself.
    pub(crate) places: Option<Arc<Places>>,
}

/// The text of a file that is not compressed. `named`: the encoding that the user names.
///
/// Blocks: it reads the first bytes. Errors: `Data` for bytes that are in another encoding than the
/// named one, as far as the first of them show it; those of reading.
pub(crate) fn decoded(
    mut stored: Box<dyn Read + Send>,
    named: Option<Encoding>,
) -> Result<Decoded> {
    let mut head = Vec::new();
    stored.by_ref().take(head::BYTES).read_to_end(&mut head).map_err(read_failure)?;
    let encoding = head::decide(&head, named)?;
    let whole = Cursor::new(head).chain(stored);
    if encoding == Encoding::UTF_8 {
        return Ok(Decoded { text: Box::new(whole), encoding, places: None });
    }
    let places = Arc::new(Places::new(encoding)?);
    let text = Transcoder::new(whole, encoding, Arc::clone(&places));
    Ok(Decoded { text: Box::new(text), encoding, places: Some(places) })
}

/// Whether a text that begins like this is in UTF-8. `named`: the encoding that the user names.
pub(crate) fn is_utf_8(head: &[u8], named: Option<Encoding>) -> bool {
    let length = head.len().min(usize::try_from(head::BYTES).unwrap_or(usize::MAX));
    head::decide(&head[..length], named).is_ok_and(|encoding| encoding == Encoding::UTF_8)
}

/// What is said of a source that is read in another encoding, and is UTF-8 from its first byte to
/// its last.
pub(crate) enum Utf8AllTheSame {
    /// It may be so by chance.
    Perhaps(String),
    /// It is: each of its characters would become two wrong ones or more.
    Surely(Error),
}

/// Characters of UTF-8 that are no chance any more. In one of the encodings of eastern Asia, nearly
/// every tenth character of two bytes is one of UTF-8 as well; in an encoding of single bytes, what
/// stands for one of UTF-8 is no part of a word (`Ã¶`).
const NO_CHANCE: u64 = 10;
const NO_CHANCE_OF_SINGLE_BYTES: u64 = 1;

/// Whether a source is UTF-8 all the same. `None`: it is not.
pub(crate) fn utf_8_all_the_same(encoding: Encoding, places: &Places) -> Option<Utf8AllTheSame> {
    let name = encoding.name();
    let no_chance = match encoding.0.is_single_byte() {
        true => NO_CHANCE_OF_SINGLE_BYTES,
        false => NO_CHANCE,
    };
    match places.characters_of_utf_8() {
        0 => None,
        n if n >= no_chance => {
            let all = match n {
                1 => "the file's one character outside of ASCII is UTF-8".to_owned(),
                n => format!("the file's {n} characters outside of ASCII are all UTF-8"),
            };
            let fact = format!(
                "{all}, so it is not in {name}, as the settings say; load it with --encoding utf-8"
            );
            Some(Utf8AllTheSame::Surely(Error::new(Kind::Data, fact)))
        }
        1 => Some(Utf8AllTheSame::Perhaps(format!(
            "the file was read as {name}, as the settings say, but its one character outside of \
             ASCII is UTF-8; --encoding utf-8 reads it as such"
        ))),
        n => Some(Utf8AllTheSame::Perhaps(format!(
            "the file was read as {name}, as the settings say, but its {n} characters outside of \
             ASCII are all UTF-8; --encoding utf-8 reads them as such"
        ))),
    }
}
