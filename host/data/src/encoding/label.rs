//! The encodings by their labels.

use encoding_rs::{SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use loader_model::error::{Error, Kind, Result};

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(pub(super) &'static encoding_rs::Encoding);

impl Encoding {
    pub const UTF_8: Encoding = Encoding(UTF_8);

    /// The encoding that a label of the WHATWG's standard names, such as `latin1`.
    ///
    /// Source: <https://encoding.spec.whatwg.org/#names-and-labels>
    ///
    /// Errors: `Config` for a text that is no label.
    pub fn of_label(label: &str) -> Result<Encoding> {
        let known = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        known.map(Encoding).ok_or_else(|| {
            let fact = format!(
                "--encoding `{label}` is no encoding that is read; name one such as utf-16le, \
                 windows-1252, iso-8859-2, shift_jis, gbk or euc-kr, or convert the file to UTF-8"
            );
            Error::new(Kind::Config, fact)
        })
    }

    /// The name in the standard, such as `windows-1252`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The name as a flag says it.
    pub(super) fn label(self) -> String {
        self.name().to_lowercase()
    }

    pub(super) fn is_utf_16(self) -> bool {
        self.0 == UTF_16LE || self.0 == UTF_16BE
    }

    /// Whether the encoding's text has the C1 control characters for bytes that mean nothing in it.
    // No text has these (U+0080 to U+009F), but the standard gives them for the bytes that
    // windows-1252 and its like leave undefined, and for 0x80 to 0x9F in the ISO-8859 family. There
    // they say that the file is one of Windows. In GB18030 and UTF-16 they are spelt out.
    pub(super) fn has_undefined_bytes(self) -> bool {
        self.0.is_single_byte() || self.0 == SHIFT_JIS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_the_standard() {
        let name = |label: &str| match Encoding::of_label(label) {
            Ok(encoding) => encoding.name().to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(name("UTF8"), "UTF-8");
        assert_eq!(name("iso-8859-1"), "windows-1252");
        assert_eq!(name("utf-16"), "UTF-16LE");
        assert_eq!(name("sjis"), "Shift_JIS");
        let refused = "--encoding `x` is no encoding that is read; name one such as utf-16le, \
                       windows-1252, iso-8859-2, shift_jis, gbk or euc-kr, or convert the file to \
                       UTF-8";
        for label in ["utf-32", "utf-7", "iso-2022-kr", "hz-gb-2312", "", "windows"] {
            assert_eq!(name(label), refused.replace('x', label));
        }
    }
}
