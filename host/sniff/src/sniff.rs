//! From a sample to its findings.

use crate::candidates::{Candidate, forms, separators};
use crate::comment;
use crate::encoding::{Texts, decode};
use crate::findings::{Delimiter, Finding, Findings, HeaderRows, Sniffed, Sureness};
use crate::header;
use crate::keys;
use crate::reading::{Form, Quoting, Reading, Separator};
use crate::record_end;
use crate::sample::Sample;
use crate::score::{Score, score};
use crate::shape::{self, Table};
use crate::values::Values;

/// How Excel is told the delimiter: in a first line of its own.
const EXCEL_SAYS: &str = "sep=";
/// The characters of the beginning that every candidate reads.
const SCORED_BYTES: usize = 64 * 1024;
/// Rows that are shown.
const SHOWN_ROWS: usize = 5;
/// From so many times the score of the next best form on, the best is sure, or likely.
const CLEARLY: f64 = 1.6;
const RATHER: f64 = 1.15;

/// A form and how it fits.
struct Tried {
    form: Form,
    score: Score,
}

/// Finds out how a file is written.
pub fn sniff(sample: &Sample<'_>) -> Sniffed {
    let texts = match decode(sample.bounded()) {
        Ok(texts) => texts,
        Err(because) => return Sniffed::Binary(because),
    };
    if texts.beginning.trim().is_empty() {
        return Sniffed::Empty;
    }
    let scored = prefix(&texts.beginning, SCORED_BYTES);
    let is_cut = !texts.is_whole || scored.len() < texts.beginning.len();
    let mut tried = try_all(scored, is_cut);
    tried.sort_by(|a, b| b.score.value.total_cmp(&a.score.value));
    match tried.first() {
        Some(best) => Sniffed::Text(Box::new(describe(&texts, &tried, best))),
        None => Sniffed::Empty,
    }
}

/// The beginning of a text, of about so many bytes.
fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn try_all(text: &str, is_cut: bool) -> Vec<Tried> {
    let one = Candidate { separator: Separator::OneColumn, prior: 1.0, is_in_texts: false };
    let mut tried = Vec::new();
    let candidates = match said(text) {
        Some(separator) => vec![Candidate { separator, prior: 1.0, is_in_texts: false }],
        None => separators(text).into_iter().chain([one]).collect(),
    };
    for candidate in candidates {
        tried.extend(best_quoting(text, is_cut, &candidate));
    }
    tried
}

/// The delimiter that the first line says, as in `sep=;`.
fn said(text: &str) -> Option<Separator> {
    let line = text.lines().next()?.trim_matches(['"', '\u{feff}']);
    let prefix = line.get(..EXCEL_SAYS.len())?;
    let separator = &line[EXCEL_SAYS.len()..];
    let is_one = prefix.eq_ignore_ascii_case(EXCEL_SAYS) && separator.chars().count() == 1;
    is_one.then(|| Separator::Text(separator.to_owned()))
}

/// The best quoting for a separator. Of those that fit as well the first counts, which is the usual
/// one. Quotes that quote nothing count as none.
fn best_quoting(text: &str, is_cut: bool, candidate: &Candidate) -> Option<Tried> {
    let mut best: Option<Tried> = None;
    for form in forms(text, &candidate.separator) {
        let score = score(&Reading::new(text, &form, is_cut), candidate);
        let is_unusual = form.quote.is_some_and(|quote| quote != b'"') && score.quoted == 0;
        let is_better = best.as_ref().is_none_or(|best| score.value > best.score.value * 1.0001);
        if is_better && !is_unusual {
            best = Some(Tried { form, score });
        }
    }
    best
}

fn describe(texts: &Texts, tried: &[Tried], best: &Tried) -> Findings {
    let (form, width) = (&best.form, best.score.width);
    let reading = Reading::new(&texts.beginning, form, !texts.is_whole);
    let comment = comment::find(&reading, width);
    let mut table = shape::table(&reading, width, comment.value);
    let mut header_rows = header::find(&reading, &table);
    if form.separator == Separator::OneColumn && header_rows.sureness == Sureness::Undecided {
        header_rows.because = "one column of texts does not tell".to_owned();
    }
    let names = names(&reading, &table, header_rows.value);
    let (values, footer) = look_further(texts, &reading, &mut table, comment.value, &header_rows);
    if let Some(name) = values.unclear_comma(&names) {
        table.remarks.push(format!(
            "the commas in the numbers of `{name}` may part thousands or the fraction; it cannot be told"
        ));
    }
    let keys = keys::find(&reading, &table, header_rows.value.0 as usize, &names);
    Findings {
        keys,
        encoding: texts.encoding.clone(),
        record_end: record_end::find(&texts.beginning),
        delimiter: delimiter(tried, best),
        quote: quote(&reading, best),
        escape: escape(best),
        skip_rows: table.skip_rows.clone(),
        preview: preview(&reading, &table, header_rows.value),
        footer,
        null_texts: values.null_texts(&names),
        decimal_commas: values.decimal_commas(&names),
        dates: values.dates(&names),
        unused_delimiter: unused_delimiter(&reading),
        other_delimiter: next_best(tried, best).map(|other| shown(&other.form.separator)),
        names,
        comment,
        header_rows,
        remarks: table.remarks,
    }
}

/// Looks at the middle and the end, too.
fn look_further(
    texts: &Texts,
    beginning: &Reading<'_>,
    table: &mut Table,
    comment: Option<char>,
    header: &Finding<HeaderRows>,
) -> (Values, Option<Finding<u64>>) {
    let mut values = Values::default();
    let body = table.rows.iter().skip(header.value.0 as usize);
    values.add(beginning, body, table.width);
    let middle = Reading::new(from_a_line(&texts.middle), beginning.form, true);
    values.add(&middle, middle.rows.iter(), table.width);
    let end = Reading::new(from_a_line(&texts.end), beginning.form, false);
    values.add(&end, end.rows.iter(), table.width);
    let fitting = end.rows.iter().filter(|row| row.width() == table.width).count();
    let last = match () {
        () if texts.is_whole => beginning,
        () if fitting * 2 > end.rows.len() => &end,
        () => return (values, None),
    };
    let (footer, remark) = shape::footer(last, table.width, comment);
    // A piece of the end does not know the number of its lines.
    table.remarks.extend(remark.filter(|_| texts.is_whole));
    (values, Some(footer))
}

/// The first usual delimiter that no field has outside of quotes.
fn unused_delimiter(reading: &Reading<'_>) -> Option<char> {
    let is_in = |c: char| {
        let cells = reading.rows.iter().flat_map(|row| reading.cells(row));
        cells
            .filter(|cell| cell.quoting != Quoting::Quoted)
            .any(|cell| reading.raw(cell).contains(c))
    };
    [',', ';', '\t', '|', '^', '~', '\u{1f}'].into_iter().find(|c| !is_in(*c))
}

/// A piece of a file, from the first line on that it has the beginning of.
fn from_a_line(text: &str) -> &str {
    text.find(['\n', '\r']).map_or("", |end| &text[end + 1..])
}

/// The best form with another separator that fits at all.
fn next_best<'a>(tried: &'a [Tried], best: &Tried) -> Option<&'a Tried> {
    let others = tried.iter().filter(|other| other.form.separator != best.form.separator);
    others
        .filter(|other| other.score.value * 2.5 > best.score.value)
        .max_by(|a, b| a.score.value.total_cmp(&b.score.value))
}

fn shown(separator: &Separator) -> Delimiter {
    match separator {
        Separator::Text(text) => Delimiter::Text(text.clone()),
        Separator::Blanks(_) => Delimiter::Blanks,
        Separator::OneColumn => Delimiter::OneColumn,
    }
}

fn delimiter(tried: &[Tried], best: &Tried) -> Finding<Delimiter> {
    let Score { value, width, rows, fitting, .. } = best.score;
    let next = next_best(tried, best).map_or(0.0, |next| next.score.value);
    let is_regular = fitting * 10 >= rows * 7;
    let sureness = match () {
        () if value >= next * CLEARLY && is_regular && rows > 1 => Sureness::Sure,
        () if value >= next * RATHER && fitting * 2 >= rows => Sureness::Likely,
        () => Sureness::Undecided,
    };
    let because = match &best.form.separator {
        Separator::OneColumn => {
            "no character parts the rows into the same number of fields".to_owned()
        }
        _ => format!("{fitting} of {rows} rows have {width} fields"),
    };
    Finding::new(shown(&best.form.separator), sureness, because)
}

fn quote(reading: &Reading<'_>, best: &Tried) -> Finding<Option<char>> {
    let Score { quoted, broken, .. } = best.score;
    match best.form.quote.map(char::from) {
        None => {
            let because = "the quotes in the file do not open and close fields";
            Finding::new(None, Sureness::Likely, because)
        }
        Some(quote) if quoted == 0 => {
            let is_there = reading.text.contains(quote);
            let because = match is_there {
                true => "no field is quoted; the quotes in the file stand within fields",
                false => "no field is quoted",
            };
            Finding::new(Some(quote), Sureness::Likely, because)
        }
        Some(quote) => {
            let sureness = if broken == 0 { Sureness::Sure } else { Sureness::Likely };
            let of_broken = match broken {
                0 => String::new(),
                _ => format!(", and {broken} rows have quotes that do not close as they must"),
            };
            let because = format!("{quoted} fields begin and end with it{of_broken}");
            Finding::new(Some(quote), sureness, because)
        }
    }
}

fn escape(best: &Tried) -> Finding<Option<char>> {
    match best.form.escape.map(char::from) {
        Some(escape) => {
            let because = "quotes or delimiters follow it, which would end fields without it";
            Finding::new(Some(escape), Sureness::Sure, because)
        }
        None => {
            let because = "quotes in quoted fields are doubled, or there are none";
            Finding::new(None, Sureness::Likely, because)
        }
    }
}

/// The names of the columns. Those of several header rows are joined.
fn names(reading: &Reading<'_>, table: &Table, header: HeaderRows) -> Vec<String> {
    let mut names = vec![String::new(); table.width];
    for row in table.rows.iter().take(header.0 as usize) {
        for (cell, name) in reading.cells(row).iter().zip(&mut names) {
            let part = reading.value(cell);
            let gap = if name.is_empty() || part.trim().is_empty() { "" } else { " " };
            name.push_str(gap);
            name.push_str(part.trim());
        }
    }
    let numbered = names.into_iter().enumerate();
    numbered
        .map(|(place, name)| if name.is_empty() { format!("column_{}", place + 1) } else { name })
        .collect()
}

fn preview(reading: &Reading<'_>, table: &Table, header: HeaderRows) -> Vec<Vec<String>> {
    let rows = table.rows.iter().skip(header.0 as usize).take(SHOWN_ROWS);
    let value = |cell: &crate::reading::Cell| match cell.quoting {
        Quoting::Broken => format!("{} (broken quotes)", reading.value(cell)),
        _ => reading.value(cell).into_owned(),
    };
    rows.map(|row| reading.cells(row).iter().map(value).collect()).collect()
}
