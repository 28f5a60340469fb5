//! The rows of the table, and what each is called on the command line.

use super::shapes::Generated;

/// A row of the table: one thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// From the S3 object to staged parts, beside others.
    Stage,
    /// From a local file to a local file, beside others.
    Transform,
    /// The same with a file that is strange in one way.
    Shape(&'static str, Generated),
    /// The time and the memory of a file ten times as large.
    Growth,
    /// A slow S3.
    Throttle,
    /// A whole load of a small file.
    Small,
    /// What the sandbox costs.
    Sandbox,
}

impl Row {
    /// All rows, in the order of the table.
    pub(super) const ALL: [Row; 11] = [
        Row::Stage,
        Row::Transform,
        Row::Shape("wide", Generated::Wide),
        Row::Shape("quoted", Generated::Quoted),
        Row::Shape("long-texts", Generated::LongTexts),
        Row::Shape("decimals", Generated::Decimals),
        Row::Shape("timestamps", Generated::Timestamps),
        Row::Growth,
        Row::Throttle,
        Row::Small,
        Row::Sandbox,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Row::Stage => "stage",
            Row::Transform => "transform",
            Row::Shape(name, _) => name,
            Row::Growth => "growth",
            Row::Throttle => "throttle",
            Row::Small => "small",
            Row::Sandbox => "sandbox",
        }
    }

    /// The row of this name.
    pub(super) fn named(name: &str) -> Option<Row> {
        Row::ALL.into_iter().find(|row| row.name() == name)
    }

    /// Whether other programs do the same work beside ours.
    pub(super) fn has_peers(self) -> bool {
        matches!(self, Row::Stage | Row::Transform | Row::Shape(..))
    }

    /// Whether the stand-in for S3 and Redshift serves it.
    pub(super) fn wants_stand_in(self) -> bool {
        matches!(self, Row::Stage | Row::Growth | Row::Throttle | Row::Small)
    }

    /// The row's place in the table; of a row that is no longer there, behind all others.
    pub(super) fn place(name: &str) -> usize {
        Row::ALL.iter().position(|row| row.name() == name).unwrap_or(Row::ALL.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_name() {
        assert!(Row::ALL.into_iter().all(|row| Row::named(row.name()) == Some(row)));
        assert_eq!(Row::named("staging"), None);
        assert!(Row::place("stage") < Row::place("small") && Row::place("small") < Row::place(""));
    }
}
