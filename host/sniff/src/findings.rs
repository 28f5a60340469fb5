//! What was found, with how sure it is and why.

use std::fmt;

use crate::dates::DateColumn;

/// What a sample is.
#[derive(Clone, Debug)]
pub enum Sniffed {
    /// There is no byte but blanks and line ends.
    Empty,
    /// The bytes are no text; the sentence says why.
    Binary(String),
    Text(Box<Findings>),
}

/// How a file is written, as far as its sample tells.
#[derive(Clone, Debug)]
pub struct Findings {
    pub encoding: Finding<Encoding>,
    pub record_end: Finding<RecordEnd>,
    pub delimiter: Finding<Delimiter>,
    pub quote: Finding<Option<char>>,
    /// The character that takes the next one literally. `None`: a quote inside of quotes is
    /// doubled.
    pub escape: Finding<Option<char>>,
    pub comment: Finding<Option<char>>,
    /// Lines before the header, or before the first row where there is none.
    pub skip_rows: Finding<u64>,
    pub header_rows: Finding<HeaderRows>,
    /// Lines behind the last row. `None`: the end of the file was not seen.
    pub footer: Option<Finding<u64>>,
    /// Texts that look like NULL. Only a person knows whether they are.
    pub null_texts: Vec<NullText>,
    /// Columns that could be the key of the rows, the likeliest first; each entry is a key.
    pub keys: Vec<Vec<String>>,
    /// The columns whose numbers have a fraction behind a comma.
    pub decimal_commas: Vec<DecimalColumn>,
    /// The columns of dates that are not written as ISO 8601 has them.
    pub dates: Vec<DateColumn>,
    /// What the delimiter is if it is not what was found.
    pub other_delimiter: Option<Delimiter>,
    /// For a file of one column: the first usual delimiter that no field has outside of quotes.
    pub unused_delimiter: Option<char>,
    /// The names of the columns, or `column_1` and so on.
    pub names: Vec<String>,
    /// The first rows behind the header.
    pub preview: Vec<Vec<String>>,
    /// What else a person should know, in sentences.
    pub remarks: Vec<String>,
}

/// A part of the dialect.
#[derive(Clone, Debug)]
pub struct Finding<T> {
    pub value: T,
    pub sureness: Sureness,
    /// The evidence, as a sentence without its point.
    pub because: String,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sureness {
    /// Something else fits as well, or nearly.
    Undecided,
    /// The other readings are worse.
    Likely,
    /// Nothing else fits.
    Sure,
}

/// How characters are written as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// As the WHATWG standard spells it: `UTF-8`, `windows-1252`.
    pub name: &'static str,
    pub has_mark: bool,
}

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEnd {
    Lf,
    CrLf,
    Cr,
    /// There is no line end.
    None,
}

/// What stands between two fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delimiter {
    /// One character or several.
    Text(String),
    /// As many blanks as the column is wide.
    Blanks,
    /// Nothing: the file has one column.
    OneColumn,
}

/// How many rows name the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderRows(pub u64);

/// A text that looks like NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NullText {
    pub text: String,
    pub count: u64,
    /// A column that has it.
    pub column: String,
}

/// A column of numbers with a decimal comma.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecimalColumn {
    pub name: String,
    /// How many of its values have a fraction behind a comma.
    pub count: u64,
    /// The most digits before and behind the comma.
    pub digits: (usize, usize),
    /// Whether points part groups of digits: `1.234,50`.
    pub has_groups: bool,
}

impl<T> Finding<T> {
    pub(crate) fn new(value: T, sureness: Sureness, because: impl Into<String>) -> Finding<T> {
        Finding { value, sureness, because: because.into() }
    }
}

impl Sureness {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Sureness::Sure => "sure",
            Sureness::Likely => "likely",
            Sureness::Undecided => "cannot be told",
        }
    }
}

impl RecordEnd {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            RecordEnd::Lf => "LF",
            RecordEnd::CrLf => "CRLF",
            RecordEnd::Cr => "CR",
            RecordEnd::None => "none",
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.has_mark { " with a byte order mark" } else { "" };
        write!(f, "{}{mark}", self.name)
    }
}

/// A delimiter as it is read by people: a tabulator is `\t`.
impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delimiter::Text(text) => write!(f, "`{}`", text.escape_debug()),
            Delimiter::Blanks => f.write_str("as many blanks as the column is wide"),
            Delimiter::OneColumn => f.write_str("none: one column"),
        }
    }
}
