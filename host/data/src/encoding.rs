//! Encodings: a file in another one than UTF-8 is read as UTF-8.
//!
//! In: the decompressed bytes, and the encoding that the user names, if any. Out: the same text in
//! UTF-8. A byte order mark decides without a setting; nothing else is guessed (`head`).
//! `transcode` turns a malformed sequence into a byte that no UTF-8 has, so that the checks of rows
//! find it, and never into a replacement character. `watch` sees whether the source is UTF-8 all the
//! same. `places` knows where each byte of the UTF-8
//! stands in the source, and `words` says what is wrong with a sequence. A file in UTF-8 passes as
//! it is.

mod decode;
mod head;
mod label;
mod places;
#[cfg(test)]
mod properties;
mod transcode;
mod watch;
mod words;

use std::fs::File;
use std::io::{Cursor, Read};
use std::sync::Arc;

use loader_model::error::{Context, Kind, Result};

use crate::decompress::read_failure;
pub use label::Encoding;
use places::Places;
use transcode::Transcoder;

/// A file's bytes in UTF-8, as they come, and what is known of their source.
pub struct Content {
    pub(crate) text: Box<dyn Read + Send>,
    pub(crate) source: Source,
}

/// Where the text of a file comes from.
#[derive(Clone)]
pub(crate) struct Source {
    encoding: Encoding,
    /// The copy of the text, in a temporary file.
    copy: Arc<File>,
    /// `None`: the text is the source itself.
    places: Option<Arc<Places>>,
}

impl Content {
    /// The text of a file that is not compressed. `named`: the encoding that the user names.
    ///
    /// Blocks: it reads the first bytes. Errors: `Data` for bytes that are in another encoding than
    /// the named one, as far as the first of them show it; those of reading.
    pub fn of(mut stored: Box<dyn Read + Send>, named: Option<Encoding>) -> Result<Content> {
        let mut head = Vec::new();
        stored.by_ref().take(head::BYTES).read_to_end(&mut head).map_err(read_failure)?;
        let encoding = head::decide(&head, named)?;
        let whole = Cursor::new(head).chain(stored);
        let copy = Arc::new(temporary_file()?);
        if encoding == Encoding::UTF_8 {
            let source = Source { encoding, copy, places: None };
            return Ok(Content { text: Box::new(whole), source });
        }
        let places = Arc::new(Places::new(encoding)?);
        let text = Transcoder::new(whole, encoding, Arc::clone(&places));
        Ok(Content {
            text: Box::new(text),
            source: Source { encoding, copy, places: Some(places) },
        })
    }
}

impl Source {
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The temporary file for the text.
    pub(crate) fn copy(&self) -> &File {
        &self.copy
    }

    /// Makes places in the text places in the source.
    pub(crate) fn locate<'a>(&self, bytes: impl IntoIterator<Item = &'a mut u64>) -> Result<()> {
        let Some(places) = &self.places else { return Ok(()) };
        places
            .locate(&self.copy, bytes.into_iter().collect())
            .context(Kind::Internal, "the temporary copy of the file cannot be read")
    }

    /// What a person should look at.
    pub(crate) fn notices(&self) -> Vec<String> {
        let as_utf_8 = self.places.as_ref().map_or(0, |places| places.characters_of_utf_8());
        let name = self.encoding.name();
        let notice = match as_utf_8 {
            0 => return Vec::new(),
            1 => format!(
                "the file was read as {name}, as the settings say, but its one character outside \
                 of ASCII is UTF-8; --encoding utf-8 reads it as such"
            ),
            n => format!(
                "the file was read as {name}, as the settings say, but its {n} characters outside \
                 of ASCII are all UTF-8; --encoding utf-8 reads them as such"
            ),
        };
        vec![notice]
    }

    /// What is wrong with bytes that are not in the encoding.
    pub(crate) fn fact_of_bytes(&self) -> String {
        words::fact(self.encoding)
    }

    /// What the user can do about such bytes at this place in the text.
    pub(crate) fn advice(&self, byte: u64) -> &'static str {
        words::advice(self.encoding, &self.copy, byte)
    }
}

fn temporary_file() -> Result<File> {
    tempfile::tempfile().context(Kind::Internal, "no temporary file can be made; check TMPDIR")
}
