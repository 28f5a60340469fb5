//! What the values of one key are, over the whole file.
//!
//! In: value after value. Out: what the file says of the column by them.

use loader_csv::{LogicalType, Meant};
use loader_model::column_type::ColumnType;

use crate::file_column::FileColumn;

/// The kinds of values that JSON has, but null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Number,
    Boolean,
    /// An object or an array.
    Nested,
}

impl Kind {
    /// The kind of a value; `None`: it is null.
    pub(super) fn of(value: &str) -> Option<Kind> {
        match value.as_bytes().first()? {
            b'"' => Some(Kind::String),
            b'{' | b'[' => Some(Kind::Nested),
            b't' | b'f' => Some(Kind::Boolean),
            b'n' => None,
            _ => Some(Kind::Number),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Boolean => "a boolean",
            Kind::Nested => "a nested value",
        }
    }
}

const KINDS: [Kind; 4] = [Kind::String, Kind::Number, Kind::Boolean, Kind::Nested];

/// The first line of each kind that a key has; 0: there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    first_lines: [u64; KINDS.len()],
}

impl Kinds {
    /// Takes a value of a line; `None`: null.
    pub(super) fn add(&mut self, kind: Option<Kind>, line: u64) {
        let Some(kind) = kind else { return };
        let first = &mut self.first_lines[kind as usize];
        if *first == 0 {
            *first = line;
        }
    }

    fn has(&self, kind: Kind) -> bool {
        self.first_lines[kind as usize] > 0
    }

    /// The column of this name.
    // A nested value makes all values of its column SUPER, where they stay what they are. A string
    // makes them text. Numbers among booleans are left to the inference, which makes them text, too.
    pub(super) fn column(&self, name: String) -> FileColumn {
        if self.has(Kind::Nested) {
            let meant = Meant::Type { logical: LogicalType::Text, decimal: None };
            let column_type = Some(ColumnType::Super);
            return FileColumn { name, meant: Some(meant), column_type, mixed: None };
        }
        let meant = match (self.has(Kind::String), self.has(Kind::Number)) {
            (true, _) => Some(Meant::Strings),
            (false, true) if !self.has(Kind::Boolean) => Some(Meant::Numbers),
            (false, _) => None,
        };
        FileColumn { name, meant, column_type: None, mixed: self.mixed() }
    }

    /// Where a string is among other values.
    fn mixed(&self) -> Option<String> {
        let others = KINDS.into_iter().filter(|kind| *kind != Kind::String && self.has(*kind));
        let other = others.min_by_key(|kind| self.first_lines[*kind as usize])?;
        let of =
            |kind: Kind| format!("line {} has {}", self.first_lines[kind as usize], kind.name());
        self.has(Kind::String).then(|| format!("{}, {}", of(Kind::String), of(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_values_make_the_column() {
        let of = |values: &[&str]| {
            let mut kinds = Kinds::default();
            for (value, line) in values.iter().zip(1..) {
                kinds.add(Kind::of(value), line);
            }
            kinds.column("a".to_owned())
        };
        let meant = |values: &[&str]| of(values).meant;
        assert_eq!(meant(&["null"]), None);
        assert_eq!(meant(&["1", "null", "-2.5"]), Some(Meant::Numbers));
        assert_eq!(meant(&["true", "false"]), None);
        assert_eq!(meant(&["true", "1"]), None);
        assert_eq!(meant(&["\"1\""]), Some(Meant::Strings));
        assert_eq!(of(&["1", "\"1\"", "{}"]).column_type, Some(ColumnType::Super));
        let mixed = of(&["null", "1", "true", "\"n/a\""]).mixed;
        assert_eq!(mixed.as_deref(), Some("line 4 has a string, line 2 has a number"));
        assert_eq!(of(&["\"x\"", "[]"]).mixed, None);
        assert_eq!(of(&["1", "true"]).mixed, None);
    }
}
