//! Whether a source that is read in another encoding is UTF-8: nearly no text of windows-1252 or GBK
//! that has a byte over 0x7F is UTF-8 by chance, so the named encoding may be wrong.

/// Watches a source as it comes.
#[derive(Default)]
pub(super) struct Watch {
    is_no_utf_8: bool,
    /// The first bytes of a character that goes on in the next piece.
    begun: Vec<u8>,
    characters: u64,
}

impl Watch {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.is_no_utf_8 {
            return;
        }
        let joined;
        let bytes = if self.begun.is_empty() {
            bytes
        } else {
            joined = [&self.begun, bytes].concat();
            &joined
        };
        let valid = match std::str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) => {
                self.is_no_utf_8 = error.error_len().is_some();
                error.valid_up_to()
            }
        };
        let (valid, begun) = bytes.split_at(valid);
        self.characters += valid.iter().filter(|byte| **byte >= 0xC0).count() as u64;
        self.begun = begun.get(..4).unwrap_or(begun).to_vec();
    }

    /// How many characters the source has outside of ASCII, if all of it is UTF-8; else 0.
    pub(super) fn characters(&self) -> u64 {
        let is_utf_8 = !self.is_no_utf_8 && self.begun.is_empty();
        if is_utf_8 { self.characters } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_utf_8_are_counted_however_they_are_cut() {
        let check = |bytes: &[u8], expected: u64| {
            for piece in 1..=bytes.len() {
                let mut watch = Watch::default();
                bytes.chunks(piece).for_each(|bytes| watch.feed(bytes));
                assert_eq!(watch.characters(), expected, "{} {piece}", bytes.escape_ascii());
            }
        };
        check("id,name\n1,Zürich €\n😀".as_bytes(), 3);
        check(b"id,name\n", 0);
        check(b"1,Z\xfcrich\n", 0);
        check("1,Zürich".as_bytes().strip_suffix(b"rich").expect("ends so"), 1);
        check(b"1,\xc3\xbc\xc3", 0);
    }
}
