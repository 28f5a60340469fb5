//! What a field means, and who reads it.

/// A field's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Null,
    /// `""`: the empty string in a text column, NULL in any other.
    QuotedEmpty,
    /// Never empty.
    Text(&'a [u8]),
}

/// Reads the fields of a column.
pub(crate) trait ReadField {
    /// Reads a field, as `FieldReader::read` does.
    fn read<'b>(&'b mut self, raw: &'b [u8], scratch: &'b mut Vec<u8>) -> Field<'b>;
}
