//! How well a form fits a text, as a number from 0 to 1.
//!
//! Four things count: whether the rows have the same number of fields; whether the fields of a
//! column look alike, and none has a delimiter of another form or a stray quote in it; whether
//! quotes open and close as they must; and how much there is that could speak against the form. Two
//! fields in a single line prove little.

use crate::candidates::Candidate;
use crate::cell::{Kind, kind};
use crate::reading::{Cell, Quoting, Reading, Row, Separator};

/// Rows that are looked at.
const SCORED_ROWS: usize = 1000;
/// Columns whose fields are compared.
const SCORED_COLUMNS: usize = 200;
/// The score of a text that is taken for one column.
const ONE_COLUMN: f64 = 0.28;
/// That of one whose lines are all numbers, days, or quoted.
const ONE_COLUMN_OF_A_KIND: f64 = 0.97;

/// How a form fits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    pub(crate) value: f64,
    /// The fields that most rows have.
    pub(crate) width: usize,
    /// The rows with anything in them.
    pub(crate) rows: usize,
    /// Those of them with `width` fields.
    pub(crate) fitting: usize,
    pub(crate) quoted: usize,
    pub(crate) broken: usize,
}

pub(crate) fn score(reading: &Reading<'_>, candidate: &Candidate) -> Score {
    let rows: Vec<&Row> =
        reading.rows.iter().filter(|row| !reading.is_blank(row)).take(SCORED_ROWS).collect();
    let width = usual_width(&rows);
    let mut score = Score { width, rows: rows.len(), ..Score::default() };
    score.fitting = rows.iter().filter(|row| row.width() == width).count();
    let cells = || rows.iter().flat_map(|row| reading.cells(row));
    score.quoted = cells().filter(|cell| cell.quoting == Quoting::Quoted).count();
    let is_broken =
        |row: &&&Row| reading.cells(row).iter().any(|cell| cell.quoting == Quoting::Broken);
    score.broken = rows.iter().filter(is_broken).count();
    let sound = 1.0 - share(score.broken, rows.len());
    let open = if reading.ends_open { 0.5 } else { 1.0 };
    let fits = match width {
        0 | 1 if candidate.separator != Separator::OneColumn => 0.0,
        0 | 1 => of_one_column(reading, &rows),
        _ => {
            let evidence = ((width - 1) * score.fitting.min(20)) as f64;
            let of_types = looks(reading, &rows, width, candidate);
            consistency(reading, &rows, width).powi(2) * of_types * evidence / (evidence + 1.0)
        }
    };
    let prior = if width > 1 { candidate.prior } else { 1.0 };
    score.value = prior * fits * sound.powi(2) * open;
    score
}

/// The number of fields that most rows have; of two that are as frequent the greater one.
pub(crate) fn usual_width(rows: &[&Row]) -> usize {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.width()).collect();
    widths.sort_unstable();
    let groups = widths.chunk_by(|a, b| a == b);
    groups.max_by_key(|group| (group.len(), group[0])).map_or(0, |group| group[0])
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The share of the rows that have the usual number of fields. A few rows before and behind the table
/// count less, and those that look like comments hardly.
fn consistency(reading: &Reading<'_>, rows: &[&Row], width: usize) -> f64 {
    let fits = |row: &&Row| row.width() == width;
    let first = rows.iter().position(&fits).unwrap_or(0);
    let last = rows.iter().rposition(&fits).unwrap_or(0);
    let fitting = rows.iter().filter(|row| fits(row)).count() as f64;
    let (mut inside, mut around) = (0.0, 0.0);
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| !fits(row)) {
        match reading.text[row.start..].starts_with('#') {
            true => around += 0.2,
            false if place < first || place > last => around += 1.0,
            false => inside += 1.3,
        }
    }
    let few = f64::min(around, (fitting * 0.3).max(1.0));
    fitting / (fitting + inside + few * 0.4 + (around - few))
}

/// How the fields look, column by column.
fn looks(reading: &Reading<'_>, rows: &[&Row], width: usize, candidate: &Candidate) -> f64 {
    let columns = width.min(SCORED_COLUMNS);
    let mut kinds = vec![[0_usize; 9]; columns];
    let (mut weight, mut other) = (0.0, 0);
    let fitting: Vec<&&Row> = rows.iter().filter(|row| row.width() == width).collect();
    for row in &fitting {
        for (cell, kinds) in reading.cells(row).iter().zip(&mut kinds) {
            let kind = kind(reading.raw(cell));
            kinds[kind as usize] += 1;
            weight += weight_of(reading, cell, kind);
            other += usize::from(cell.quoting == Quoting::Quoted || !is_texty(kind));
        }
    }
    let cells = fitting.len() * columns;
    let alike: f64 = kinds.iter().map(alike).sum::<f64>() / columns as f64;
    let in_texts = match candidate.is_in_texts {
        true if width >= 5 && fitting.len() >= 3 => f64::max(0.75, 0.4 + 0.6 * share(other, cells)),
        true => 0.4 + 0.6 * share(other, cells),
        false => 1.0,
    };
    weight / (cells.max(1) as f64) * (0.75 + 0.25 * alike) * in_texts
}

fn is_texty(kind: Kind) -> bool {
    matches!(kind, Kind::Text | Kind::Empty | Kind::Null)
}

/// How alike the fields of a column are: the share of the most frequent kind.
fn alike(kinds: &[usize; 9]) -> f64 {
    let known = &kinds[Kind::Number as usize..];
    let (most, all) = (known.iter().max().copied().unwrap_or(0), known.iter().sum());
    if all == 0 { 0.9 } else { share(most, all) }
}

/// How a field speaks for the form: 1 if nothing is strange about it.
fn weight_of(reading: &Reading<'_>, cell: &Cell, kind: Kind) -> f64 {
    let raw = reading.raw(cell);
    match (cell.quoting, kind) {
        (Quoting::Broken, _) => 0.0,
        (Quoting::Quoted, _) => 1.0,
        (_, Kind::Empty) if raw.is_empty() => 0.85,
        (_, Kind::Empty) => 0.7,
        (_, Kind::Text) => weight_of_text(raw),
        _ if is_padded(raw) => 0.93,
        _ => 1.0,
    }
}

fn is_padded(raw: &str) -> bool {
    raw.starts_with(' ') || raw.ends_with(' ')
}

/// Whether another delimiter stands between two digits, as in `50;3`, where a comma was taken for the
/// delimiter of `2,50;3,1`.
fn parts_digits(raw: &str) -> bool {
    raw.as_bytes().windows(3).any(|three| {
        three[0].is_ascii_digit() && b";|\t".contains(&three[1]) && three[2].is_ascii_digit()
    })
}

fn weight_of_text(raw: &str) -> f64 {
    let trimmed = raw.trim();
    let both = |quote| trimmed.len() > 1 && trimmed.starts_with(quote) && trimmed.ends_with(quote);
    let one = |quote| trimmed.starts_with(quote) || trimmed.ends_with(quote);
    let padding = if is_padded(raw) { 0.9 } else { 1.0 };
    padding
        * match () {
            () if both('"') => 0.2,
            () if one('"') => 0.4,
            () if both('\'') => 0.6,
            () if raw.contains(['\t', '|', ';']) && parts_digits(raw) => 0.3,
            () if raw.contains(['\t', '|', ';']) => 0.6,
            () if raw.contains(',') && !raw.contains(", ") => 0.7,
            () if raw.contains(',') => 0.85,
            () => 0.95,
        }
}

/// The score of a text as one column.
fn of_one_column(reading: &Reading<'_>, rows: &[&Row]) -> f64 {
    let body = if rows.len() > 1 { &rows[1..] } else { rows };
    let cells: Vec<&Cell> = body.iter().flat_map(|row| reading.cells(row)).collect();
    let quoted = cells.iter().filter(|cell| cell.quoting == Quoting::Quoted).count();
    // `1,5` may be two fields, and so may `1,412`: unless they stand below a header of one.
    let header = rows.first().map_or("", |row| &reading.text[row.start..row.end]);
    let is_below_one = kind(header) == Kind::Text && !header.contains([',', ';']);
    let mut kinds = [0_usize; 9];
    for cell in &cells {
        let raw = reading.raw(cell);
        let may_be_two = raw.contains([',', ';']) && !is_below_one;
        kinds[if may_be_two { Kind::Text } else { kind(raw) } as usize] += 1;
    }
    let known = &kinds[Kind::Number as usize..Kind::Text as usize];
    let most = known.iter().max().copied().unwrap_or(0);
    let is_of_a_kind = share(most.max(quoted), cells.len()) >= 0.9;
    if is_of_a_kind { ONE_COLUMN_OF_A_KIND } else { ONE_COLUMN }
}
