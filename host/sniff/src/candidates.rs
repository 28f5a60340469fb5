//! The forms that a text could be written in: at most [`MOST_SEPARATORS`] separators, each with a few
//! kinds of quoting.

use std::collections::BTreeMap;

use crate::cell;
use crate::reading::{Form, Separator};

const MOST_SEPARATORS: usize = 16;
/// Lines whose characters are counted.
const COUNTED_LINES: usize = 2000;
/// Different runs of punctuation that are counted; a file has few, and a hostile one shall not make
/// many.
const COUNTED_RUNS: usize = 2000;

/// What could part the fields, and how likely that is before the file is read.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) separator: Separator,
    /// From 0 to 1, by how often files are written so.
    pub(crate) prior: f64,
    /// Whether texts have it, too, as they have blanks and colons. Then only values of other kinds
    /// speak for it.
    pub(crate) is_in_texts: bool,
}

/// The candidates for what parts the fields of a text.
pub(crate) fn separators(text: &str) -> Vec<Candidate> {
    let lines: Vec<&str> = lines(text).take(COUNTED_LINES).collect();
    let runs = runs(&lines);
    let mut found: Vec<(usize, Candidate)> = characters(&lines);
    found.retain(|(_, of_one)| !runs.iter().any(|(_, run)| is_always_in(text, of_one, run)));
    found.extend(runs);
    let padded: Vec<_> =
        found.iter().flat_map(|(count, known)| padded(text, *count, known)).collect();
    found.extend(padded);
    found.extend(blanks(&lines));
    found.sort_by_key(|(count, candidate)| (candidate.prior < 0.97, std::cmp::Reverse(*count)));
    found.truncate(MOST_SEPARATORS);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The ways in which fields of this separator could be quoted. The usual one comes first.
pub(crate) fn forms(text: &str, separator: &Separator) -> Vec<Form> {
    let form = |quote, escape| Form { separator: separator.clone(), quote, escape };
    let mut forms = vec![form(Some(b'"'), None)];
    if text.contains("\\\"") {
        forms.push(form(Some(b'"'), Some(b'\\')));
    }
    if opens(text, '\'', separator) {
        forms.push(form(Some(b'\''), None));
        if text.contains("\\'") {
            forms.push(form(Some(b'\''), Some(b'\\')));
        }
    }
    if text.contains('"') {
        forms.push(form(None, None));
    }
    if let Separator::Text(separator) = separator
        && (text.contains(&format!("\\{separator}")) || text.contains("\\\n"))
    {
        forms.push(form(None, Some(b'\\')));
    }
    forms
}

/// Whether a quote stands at the beginning of a field.
fn opens(text: &str, quote: char, separator: &Separator) -> bool {
    let at_line = || lines(text).any(|line| line.starts_with(quote));
    match separator {
        Separator::Text(separator) => text.contains(&format!("{separator}{quote}")) || at_line(),
        Separator::Blanks(_) => text.contains(&format!(" {quote}")) || at_line(),
        Separator::OneColumn => at_line(),
    }
}

/// The lines with anything in them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter(|line| !line.trim_matches(' ').is_empty())
}

fn candidate(separator: &str, prior: f64, is_in_texts: bool) -> Candidate {
    Candidate { separator: Separator::Text(separator.to_owned()), prior, is_in_texts }
}

/// Single characters, with the number of lines that have them.
fn characters(lines: &[&str]) -> Vec<(usize, Candidate)> {
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    for line in lines {
        let mut seen: Vec<char> = Vec::new();
        for c in line.chars().filter(|c| may_part(*c)) {
            if seen.len() < 64 && !seen.contains(&c) {
                seen.push(c);
            }
        }
        seen.into_iter().for_each(|c| *counts.entry(c).or_default() += 1);
    }
    let is_frequent = |c: char, count: usize| {
        matches!(c, ',' | ';' | '\t' | '|') || count * 10 >= lines.len() * 3
    };
    let known = counts.into_iter().filter(|(c, count)| is_frequent(*c, *count));
    let known = known.filter(|(c, _)| *c != ':' || !is_of_times(lines));
    known
        .map(|(c, count)| {
            let (prior, is_in_texts) = prior(c);
            (count, candidate(&c.to_string(), prior, is_in_texts))
        })
        .collect()
}

/// Whether a character may be a delimiter at all: letters and digits are not, nor what numbers, days
/// and paths have in them.
fn may_part(c: char) -> bool {
    let never =
        ['"', '\'', '`', '.', '-', '_', '/', '\\', '(', ')', '[', ']', '{', '}', '<', '>', '?'];
    !c.is_alphanumeric()
        && !never.contains(&c)
        && (!c.is_whitespace() || matches!(c, ' ' | '\t'))
        && !matches!(
            c,
            '\u{fffd}' | '\u{feff}' | '\0' | '°' | '€' | '£' | '–' | '—' | '’' | '“' | '”'
        )
        && !matches!(c, '\u{300}'..='\u{36f}')
}

fn prior(c: char) -> (f64, bool) {
    match c {
        ',' | '\t' => (1.0, false),
        ';' | '|' => (0.98, false),
        ' ' => (0.4, true),
        ':' | '=' => (0.5, true),
        '^' | '~' => (0.75, false),
        '\u{1}'..='\u{1f}' => (0.95, false),
        '¦' | '§' | '¬' | '‖' => (0.8, false),
        _ => (0.45, true),
    }
}

/// Whether most colons are those of times and addresses.
fn is_of_times(lines: &[&str]) -> bool {
    let (mut all, mut of_times) = (0, 0);
    for line in lines {
        all += line.matches(':').count();
        of_times += line.matches("://").count();
        let of_times_of_day = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
        let texts = line.split(|c: char| !of_times_of_day(c));
        let times = texts.filter(|text| cell::is_time(text.trim_end_matches('.')));
        of_times += times.map(|text| text.matches(':').count()).sum::<usize>();
    }
    of_times * 10 > all * 7
}

/// Runs of two to four characters, such as `||` or `~|~`.
fn runs(lines: &[&str]) -> Vec<(usize, Candidate)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        let mut seen: Vec<&str> = Vec::new();
        for run in line.split(|c: char| !may_part(c) || c == ' ' || c == '\t') {
            if may_part_together(run) && seen.len() < 32 && !seen.contains(&run) {
                seen.push(run);
            }
        }
        for run in seen {
            if counts.len() < COUNTED_RUNS || counts.contains_key(run) {
                *counts.entry(run).or_default() += 1;
            }
        }
    }
    let frequent = counts.into_iter().filter(|(_, count)| count * 10 >= lines.len() * 2);
    frequent.map(|(run, count)| (count, candidate(run, prior_of_run(run), false))).collect()
}

/// Whether a run may be a delimiter: one character again and again, a run that is the same
/// backwards, or one without characters that often stand next to a delimiter. (For example, `,$` is
/// a comma before an amount.)
fn may_part_together(run: &str) -> bool {
    let is_mirrored = run.chars().eq(run.chars().rev());
    let is_of_two = run.contains([',', ';', '$', '#', '@', '&', '%', '+', '!', '*']);
    (2..=4).contains(&run.chars().count()) && (is_mirrored || !is_of_two)
}

/// Whether a character stands nowhere but in a run. Then it is not the delimiter: where fields are
/// parted by `||`, every field of a reading by `|` would have an empty one beside it.
fn is_always_in(text: &str, character: &Candidate, run: &Candidate) -> bool {
    let (Separator::Text(character), Separator::Text(run)) = (&character.separator, &run.separator)
    else {
        return false;
    };
    let (all, in_run) = (text.matches(character).count(), run.matches(character).count());
    let is_usual = matches!(character.as_str(), "," | ";");
    !is_usual && text.matches(run).count() * in_run * 50 >= all * 49
}

// A single comma beside an empty field looks like a double one. So do semicolons.
fn prior_of_run(run: &str) -> f64 {
    match run.chars().all(|c| matches!(c, ',' | ';')) {
        true => 0.6,
        false if run.contains(['*', '=', '+', '!', '#']) => 0.6,
        false => 0.96,
    }
}

/// The same separator with blanks beside it, when it nearly always has them.
fn padded(text: &str, count: usize, known: &Candidate) -> Vec<(usize, Candidate)> {
    let Separator::Text(separator) = &known.separator else { return Vec::new() };
    if separator == " " || separator == "\t" {
        return Vec::new();
    }
    let (mut all, mut behind, mut both) = (0, 0, 0);
    for (at, _) in text.match_indices(separator.as_str()) {
        let rest = &text[at + separator.len()..];
        if rest.starts_with(['\n', '\r']) || rest.is_empty() {
            continue;
        }
        all += 1;
        if rest.starts_with(' ') {
            behind += 1;
            both += usize::from(text[..at].ends_with(' '));
        }
    }
    let mut found = Vec::new();
    let mut add = |text: String| {
        let candidate = candidate(&text, known.prior * 0.97, known.is_in_texts);
        found.push((count, candidate));
    };
    if behind > 0 && behind * 10 >= all * 8 {
        add(format!("{separator} "));
        if both * 10 >= behind * 8 {
            add(format!(" {separator} "));
        }
    }
    found
}

/// Columns that are aligned with blanks.
fn blanks(lines: &[&str]) -> Vec<(usize, Candidate)> {
    let count = lines.iter().filter(|line| line.trim().contains("  ")).count();
    if count * 10 < lines.len() * 3 {
        return Vec::new();
    }
    let aligned = |least, prior| Candidate {
        separator: Separator::Blanks(least),
        prior,
        is_in_texts: least == 1,
    };
    vec![(count, aligned(2, 0.8)), (count, aligned(1, 0.6))]
}
