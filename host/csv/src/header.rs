//! The columns of a file, as its header names them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chunk::Chunk;
use crate::dialect::Rules;
use crate::lines::is_line_end;
use crate::meant::Meant;
use crate::rule::ColumnRule;
use crate::text::Records;

/// The columns of a file, at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The names as in the file: a name may be empty, and two may be equal. Without a header line,
    /// `column_1` and so on.
    pub names: Vec<String>,
    /// The header's records as they stand in the file, and as they would without quotes or with all
    /// of them: records that equal one are left out. Empty where they are data: in a file of one
    /// column such a record may well be a value.
    #[serde(with = "crate::shared")]
    pub(crate) repeated: Arc<[Box<[u8]>]>,
    /// How the columns are read of which the user has said something; columns past its end are read
    /// as all are.
    #[serde(with = "crate::shared")]
    pub(crate) rules: Arc<[Option<ColumnRule>]>,
    /// What the file says of the columns' values, where it does; past its end, nothing.
    #[serde(with = "crate::shared")]
    pub(crate) meant: Arc<[Option<Meant>]>,
    /// Where the records begin: the place in the file, and its physical line.
    pub(crate) records_offset: u64,
    pub(crate) records_line: u64,
}

impl Header {
    /// The columns of a file that is no CSV.
    pub fn of_columns(names: Vec<String>, meant: Vec<Option<Meant>>) -> Header {
        Header { names, meant: meant.into(), records_line: 1, ..Header::default() }
    }

    /// The header of the same file, with other names for its columns.
    pub fn renamed(&self, names: Vec<String>) -> Header {
        Header { names, ..self.clone() }
    }

    /// The header of the same file, with a rule for each column of which the user has said
    /// something.
    pub fn with_rules(&self, rules: Vec<Option<ColumnRule>>) -> Header {
        Header { rules: rules.into(), ..self.clone() }
    }

    /// Adds the parts that the next record of the header gives to the names.
    pub(crate) fn join(&mut self, next: &Header) {
        for (name, part) in self.names.iter_mut().zip(&next.names) {
            if name.is_empty() {
                name.clone_from(part);
            } else if !part.is_empty() && name != part {
                name.push('_');
                name.push_str(part);
            }
        }
        self.repeated = self.repeated.iter().chain(&*next.repeated).cloned().collect();
    }

    /// How a column is read; `None`: as all are.
    pub(crate) fn rule(&self, column: usize) -> Option<&ColumnRule> {
        self.rules.get(column)?.as_ref()
    }

    /// What the file says of a column's values.
    pub(crate) fn meant(&self, column: usize) -> Option<Meant> {
        *self.meant.get(column)?
    }

    /// What is known of a chunk's records.
    pub(crate) fn records(&self, chunk: &Chunk) -> Records<'_> {
        let (columns, headers) = (self.names.len(), &*self.repeated);
        Records { columns, headers, ends_file: chunk.ends_file }
    }
}

/// The header of a file that has none.
pub(crate) fn numbered(columns: usize) -> Header {
    let names = (1..=columns).map(|number| format!("column_{number}")).collect();
    Header { names, ..Header::default() }
}

/// A record of the header as it is written, and with no name or all names quoted.
pub(crate) fn spellings(text: &[u8], names: &[String], rules: &Rules) -> Vec<Box<[u8]>> {
    let mut delimiter = vec![rules.delimiter];
    delimiter.extend_from_slice(rules.tail.as_bytes());
    let special = |byte: &u8| {
        *byte == rules.delimiter
            || Some(*byte) == rules.quote
            || Some(*byte) == rules.escape
            || is_line_end(*byte)
    };
    let mut spellings: Vec<Box<[u8]>> = vec![text.into()];
    let quote = rules.quote.filter(|_| !names.concat().bytes().any(|byte| special(&byte)));
    if let Some(quote) = quote {
        let quoted = |name: &String| [&[quote], name.as_bytes(), &[quote]].concat();
        let bare: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        let quoted: Vec<Vec<u8>> = names.iter().map(quoted).collect();
        spellings.extend([bare.join(&*delimiter).into(), quoted.join(&*delimiter).into()]);
    }
    spellings.retain(|spelling| !spelling.is_empty());
    spellings.dedup();
    spellings
}
