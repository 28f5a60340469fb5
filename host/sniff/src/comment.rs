//! Lines that are comments: they begin with one character, and do not belong to the table.

use crate::cell::{Kind, kind};
use crate::findings::{Finding, Sureness};
use crate::reading::{Quoting, Reading, Row};

const CHARACTERS: [char; 4] = ['#', '%', '!', '*'];

/// The character that begins comments.
pub(crate) fn find(reading: &Reading<'_>, width: usize) -> Finding<Option<char>> {
    let rows: Vec<&Row> = reading.rows.iter().filter(|row| !reading.is_blank(row)).collect();
    for character in CHARACTERS {
        let found: Vec<&&Row> = rows.iter().filter(|row| begins(reading, row, character)).collect();
        if found.is_empty() || found.len() * 2 > rows.len() {
            continue;
        }
        let alike = found.iter().filter(|row| row.width() == width && width > 1).count();
        if alike * 2 <= found.len() || is_put_out(reading, &rows, character, width) {
            let because = format!("{} lines begin with it and are no rows", found.len());
            let sureness = if found.len() > 1 { Sureness::Sure } else { Sureness::Likely };
            return Finding::new(Some(character), sureness, because);
        }
    }
    Finding::new(None, Sureness::Likely, "no lines stand out by their first character")
}

pub(crate) fn begins(reading: &Reading<'_>, row: &Row, character: char) -> bool {
    let is_bare = reading.cells(row).first().is_some_and(|cell| cell.quoting == Quoting::Bare);
    is_bare && reading.text[row.start..].starts_with(character)
}

/// Whether rows were made comments: the first column has numbers or days, but in these rows. The
/// first row may be a header that begins with the character: `#id`.
fn is_put_out(reading: &Reading<'_>, rows: &[&Row], character: char, width: usize) -> bool {
    let (mut known, mut all, mut out) = (0, 0, 0);
    for row in rows.iter().skip(1).filter(|row| row.width() == width) {
        let Some(cell) = reading.cells(row).first() else { continue };
        if begins(reading, row, character) {
            out += 1;
            continue;
        }
        all += 1;
        known += usize::from(!matches!(kind(reading.raw(cell)), Kind::Text | Kind::Null));
    }
    out > 0 && known > 1 && known * 10 >= all * 9
}
