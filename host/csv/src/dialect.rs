//! How a CSV file is written: the special characters, the header, and the texts that mean NULL.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The rules of one file. The default is RFC 4180 in UTF-8.
///
/// In every dialect a record ends with LF, CRLF or a lone CR, and a byte order mark is dropped. A
/// bare empty field is NULL, and a quoted empty field is the empty string. For example, the record
/// `7,,""` has a NULL and an empty string. So in a file of one column a blank line is a record with
/// a NULL, but for those at the end of the file; in other files blank lines are skipped.
///
/// A quote opens a quoted field only as the field's first character; [`Quotes`] says what it is
/// further on in an unquoted field. All special characters are single ASCII characters, but for the
/// delimiter, which may have several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    pub delimiter: u8,
    /// The characters of the delimiter behind its first, as in `||`.
    pub delimiter_tail: DelimiterTail,
    /// `None`: no field is quoted and quotes are text.
    pub quote: Option<u8>,
    /// Inside of a quoted field this makes the next character plain text. A doubled quote stands
    /// for a quote whether or not there is an escape. In a dialect without quotes it does the same
    /// in every field, for a delimiter, a line end or an escape too, as Redshift's UNLOAD writes
    /// them with ESCAPE. For example, `a\|b|c` has the fields `a|b` and `c` then.
    pub escape: Option<u8>,
    /// The first record names the columns. Without a header they are `column_1`, `column_2` and so
    /// on.
    pub header: bool,
    /// The number of records that name the columns, where there is a header: at least one. The parts
    /// of a name are joined by `_`.
    pub header_rows: u64,
    /// Blanks around fields are no part of them, nor are those around quotes.
    pub trim: bool,
    /// The number of columns of a file without a header; `None`: its first record tells.
    pub columns: Option<usize>,
    /// The number of lines (not records) in front of the header that are skipped. They need not be
    /// CSV.
    pub skip_rows: u64,
    /// Lines that begin with this character are skipped. A quote in such a line opens nothing.
    pub comment: Option<u8>,
    /// Texts that mean NULL beside the bare empty field, for example `NA` or `\N`. A quoted field
    /// is never NULL, but for `quoted_nulls`.
    pub null_tokens: Vec<String>,
    /// The null tokens mean NULL in quotes, too: `"NA"`, and `""` where the empty text is one.
    pub quoted_nulls: bool,
    pub leading_zeros: LeadingZeros,
    pub repeated_header: RepeatedHeader,
    pub quotes: Quotes,
    pub short_rows: ShortRows,
    pub trailing_delimiter: TrailingDelimiter,
    pub field_form: FieldForm,
}

/// How the text of a field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldForm {
    /// As CSV has it: bare, or in quotes.
    #[default]
    Csv,
    /// As a value of JSON: `null` and the empty field are NULL, strings are in quotes and have
    /// JSON's escapes, and all else is what it is: `1.50`, `true`, `{"a": 1}`. What a row lacks at
    /// its end is NULL. Rows of files that are no CSV are written so, see
    /// [`Dialect::of_json_fields`].
    Json,
}

/// The characters of a delimiter behind its first: at most seven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelimiterTail {
    bytes: [u8; 7],
    len: u8,
}

impl DelimiterTail {
    /// `None` where there are too many.
    pub fn new(tail: &[u8]) -> Option<DelimiterTail> {
        let mut bytes = [0; 7];
        bytes.get_mut(..tail.len())?.copy_from_slice(tail);
        Some(DelimiterTail { bytes, len: u8::try_from(tail.len()).ok()? })
    }

    /// The characters.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A quote in a field that does not begin with one, as in `5" pipe`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quotes {
    /// It is a mistake: mostly the delimiter in front of it is missing, or its partner.
    #[default]
    Strict,
    /// It is text.
    Lenient,
}

/// A row with fewer fields than the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShortRows {
    /// It is a mistake.
    #[default]
    Reject,
    /// The fields that it lacks are NULL.
    Fill,
}

/// Empty fields at the end of a row, more than the header has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrailingDelimiter {
    /// They are a mistake.
    #[default]
    Reject,
    /// They are dropped, also those of the header.
    Allow,
}

/// What becomes of the traces of files that were put together to one: a record that is written as
/// the header is, in a file of two columns or more, and a byte order mark before a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RepeatedHeader {
    /// They are left out and counted.
    #[default]
    Skip,
    /// They are data: the record is a row, and the mark belongs to its first field.
    Keep,
}

/// How a number with leading zeros, such as `007`, is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeadingZeros {
    /// As text, so that a postal code such as `01067` keeps its zero.
    #[default]
    Text,
    /// As a number: `007` is 7.
    Number,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect {
            delimiter: b',',
            delimiter_tail: DelimiterTail::default(),
            quote: Some(b'"'),
            escape: None,
            header: true,
            header_rows: 1,
            trim: false,
            columns: None,
            skip_rows: 0,
            comment: None,
            null_tokens: Vec::new(),
            quoted_nulls: false,
            leading_zeros: LeadingZeros::Text,
            repeated_header: RepeatedHeader::Skip,
            quotes: Quotes::Strict,
            short_rows: ShortRows::Reject,
            trailing_delimiter: TrailingDelimiter::Reject,
            field_form: FieldForm::Csv,
        }
    }
}

/// Why a dialect cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DialectError {
    #[error(
        "the {0} is not a single ASCII character other than a line end or NUL; name another one"
    )]
    NotUsable(&'static str),
    #[error("the {0} and the {1} are the same character; name another one for either")]
    Same(&'static str, &'static str),
    #[error("the delimiter has the quote or the escape in it; name another one for either")]
    HasQuote,
    #[error("a blank is the delimiter, so blanks around fields cannot be trimmed; leave one away")]
    Blank,
}

/// Between two JSON values: no JSON text has this character.
pub const JSON_DELIMITER: u8 = 0x1F;
/// Before a line that is no row: no JSON value begins with it.
pub const JSON_COMMENT: u8 = 0x1E;

impl Dialect {
    /// How rows of a file that is no CSV are written: a line for each, with a JSON value for each
    /// column of a header that is known. `settings` say what is not about characters.
    ///
    /// No JSON value has a line end in it, so the lines may be those of the file.
    pub fn of_json_fields(settings: &Dialect) -> Dialect {
        Dialect {
            delimiter: JSON_DELIMITER,
            quote: None,
            comment: Some(JSON_COMMENT),
            null_tokens: settings.null_tokens.clone(),
            quoted_nulls: settings.quoted_nulls,
            leading_zeros: settings.leading_zeros,
            field_form: FieldForm::Json,
            ..Dialect::default()
        }
    }

    /// Checks that the special characters are usable and differ. The rest of this crate relies on
    /// it.
    ///
    /// An escape that equals the quote is fine: it says that quotes are doubled, and doubled quotes
    /// are read in every dialect.
    pub fn check(&self) -> Result<(), DialectError> {
        let escape = self.escape.filter(|escape| Some(*escape) != self.quote);
        for byte in self.delimiter_tail.as_bytes() {
            if !byte.is_ascii() || matches!(byte, 0 | b'\n' | b'\r') {
                return Err(DialectError::NotUsable("delimiter"));
            }
            if Some(*byte) == self.quote || Some(*byte) == escape {
                return Err(DialectError::HasQuote);
            }
        }
        if self.trim && matches!(self.delimiter, b' ') {
            return Err(DialectError::Blank);
        }
        let named = [
            ("delimiter", Some(self.delimiter)),
            ("quote", self.quote),
            ("escape", escape),
            ("comment", self.comment),
        ];
        for (index, (name, byte)) in named.iter().enumerate() {
            let Some(byte) = byte else { continue };
            if !byte.is_ascii() || matches!(byte, 0 | b'\n' | b'\r') {
                return Err(DialectError::NotUsable(name));
            }
            if let Some((other, _)) =
                named[..index].iter().find(|(_, other)| other.as_ref() == Some(byte))
            {
                return Err(DialectError::Same(other, name));
            }
        }
        Ok(())
    }

    /// Whether only a sequential reading tells where records begin: the splitter, which looks at
    /// quotes alone, does not see which quotes open a field.
    pub fn is_sequential(&self) -> bool {
        self.trim || self.delimiter_tail.len > 0
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            delimiter: self.delimiter,
            tail: self.delimiter_tail,
            trims: self.trim,
            quote: self.quote,
            // An escape that equals the quote must go: the scanners ask for the escape first, so
            // no quote would ever close a field.
            escape: self.escape.filter(|escape| Some(*escape) != self.quote),
            comment: self.comment,
            drops_marks: self.repeated_header == RepeatedHeader::Skip,
            takes_bare_quotes: self.quotes == Quotes::Lenient,
            fills_short_rows: self.short_rows == ShortRows::Fill
                || self.field_form == FieldForm::Json,
            drops_surplus: self.trailing_delimiter == TrailingDelimiter::Allow,
            field_form: self.field_form,
        }
    }
}

/// U+FEFF in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The special characters alone, as the scanners need them. `escape` differs from `quote`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) delimiter: u8,
    pub(crate) tail: DelimiterTail,
    /// Blanks around fields, and around their quotes, are no part of them.
    pub(crate) trims: bool,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) comment: Option<u8>,
    /// A byte order mark at the start of a line is dropped; one alone, as a second one is text.
    pub(crate) drops_marks: bool,
    /// A quote in a field that does not begin with one is text.
    pub(crate) takes_bare_quotes: bool,
    /// The fields that a row lacks are NULL.
    pub(crate) fills_short_rows: bool,
    /// Empty fields too many at the end of a row are dropped.
    pub(crate) drops_surplus: bool,
    pub(crate) field_form: FieldForm,
}

impl Rules {
    /// The length of the delimiter.
    #[inline(always)]
    pub(crate) fn delimiter_length(&self) -> usize {
        1 + usize::from(self.tail.len)
    }

    /// Whether the delimiter begins at `at`, where its first character stands.
    #[inline(always)]
    pub(crate) fn is_delimiter(&self, bytes: &[u8], at: usize) -> bool {
        self.tail.len == 0
            || bytes.get(at + 1..).is_some_and(|rest| rest.starts_with(self.tail.as_bytes()))
    }

    /// Whether a byte is a blank that is trimmed.
    pub(crate) fn is_trimmed(&self, byte: u8) -> bool {
        self.trims && matches!(byte, b' ' | b'\t') && byte != self.delimiter
    }

    /// Whether a quote behind `before`, the beginning of its field, opens the field.
    #[inline(always)]
    pub(crate) fn opens_field(&self, before: &[u8]) -> bool {
        before.is_empty() || (self.trims && before.iter().all(|byte| self.is_trimmed(*byte)))
    }

    /// Whether the byte is an escape that takes the next one literally outside of quotes.
    #[inline(always)]
    pub(crate) fn is_bare_escape(&self, byte: u8) -> bool {
        self.quote.is_none() && Some(byte) == self.escape
    }

    /// The bytes of the byte order mark that `line` begins with: 3, or 0 without one.
    #[inline(always)]
    pub(crate) fn mark_length(&self, line: &[u8]) -> usize {
        let is_mark =
            self.drops_marks && line.first() == Some(&0xEF) && line.starts_with(BYTE_ORDER_MARK);
        if is_mark { BYTE_ORDER_MARK.len() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_ascii_and_differ() {
        let check = |change: fn(&mut Dialect)| {
            let mut dialect = Dialect::default();
            change(&mut dialect);
            dialect.check().err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(check(|_| ()), "");
        assert_eq!(check(|dialect| dialect.escape = Some(b'"')), "");
        assert_eq!(check(|dialect| (dialect.delimiter, dialect.escape) = (b'\t', Some(b'\\'))), "");
        assert_eq!(
            check(|dialect| dialect.delimiter = b'"'),
            "the delimiter and the quote are the same character; name another one for either"
        );
        assert_eq!(
            check(|dialect| dialect.comment = Some(0xA7)),
            "the comment is not a single ASCII character other than a line end or NUL; name \
             another one"
        );
    }
}
