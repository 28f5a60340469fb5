//! Whether the first row names the columns: what each column says to it.

use std::collections::BTreeSet;

use crate::cell::{Kind, kind};
use crate::reading::{Cell, Quoting, Reading};

/// Words that columns are often called by, in English, German, French and Spanish.
const WORDS: [&str; 40] = [
    "id",
    "name",
    "date",
    "type",
    "value",
    "code",
    "time",
    "year",
    "amount",
    "description",
    "title",
    "status",
    "city",
    "country",
    "address",
    "email",
    "price",
    "quantity",
    "qty",
    "total",
    "category",
    "age",
    "sex",
    "gender",
    "comment",
    "comments",
    "note",
    "notes",
    "number",
    "url",
    "key",
    "label",
    "datum",
    "nom",
    "nombre",
    "fecha",
    "betrag",
    "menge",
    "ort",
    "preis",
];
/// Fields of a column that are remembered.
const REMEMBERED: usize = 60;

/// A column: its field in the first row, and those below.
pub(crate) struct Column<'a> {
    pub(crate) first: &'a str,
    is_first_quoted: bool,
    /// The first fields below, with whether each is quoted.
    pub(crate) body: Vec<(bool, &'a str)>,
    kinds: [usize; 9],
}

impl<'a> Column<'a> {
    pub(crate) fn new(reading: &Reading<'a>, cell: &Cell) -> Column<'a> {
        Column {
            first: reading.raw(cell),
            is_first_quoted: cell.quoting == Quoting::Quoted,
            body: Vec::new(),
            kinds: [0; 9],
        }
    }

    pub(crate) fn add(&mut self, reading: &Reading<'a>, cell: &Cell) {
        let raw = reading.raw(cell);
        self.kinds[kind(raw) as usize] += 1;
        if self.body.len() < REMEMBERED {
            self.body.push((cell.quoting == Quoting::Quoted, raw));
        }
    }

    /// The kind of nearly all fields below, with their number.
    fn kind(&self) -> Option<(Kind, usize)> {
        let kinds = [
            Kind::Number,
            Kind::Date,
            Kind::Time,
            Kind::Moment,
            Kind::Boolean,
            Kind::Address,
            Kind::Text,
        ];
        let all: usize = kinds.iter().map(|kind| self.kinds[*kind as usize]).sum();
        let most = kinds.into_iter().max_by_key(|kind| self.kinds[*kind as usize])?;
        let count = self.kinds[most as usize];
        if all == 0 {
            return None;
        }
        Some(if count * 10 >= all * 8 { (most, count) } else { (Kind::Text, all) })
    }

    /// What the column says: more than 0 for a header.
    fn vote(&self, has_years: bool) -> f64 {
        let first = kind(self.first);
        let Some((below, count)) = self.kind() else { return 0.0 };
        let weight = if count > 1 { 1.0 } else { 0.7 };
        let vote = match (first, below) {
            (Kind::Empty, _) => 0.0,
            (Kind::Null, _) => -0.5,
            (Kind::Text, Kind::Text) => return self.vote_of_texts(),
            (Kind::Text, _) => 1.6,
            (Kind::Number, _) if has_years => 0.8,
            (_, Kind::Text) => -0.4,
            (first, below) if first == below => -1.2,
            _ => -0.5,
        };
        vote * weight
    }

    // A value of a column comes again more often than its name does, and names have no blanks in
    // files of programs.
    fn vote_of_texts(&self) -> f64 {
        let name = self.first.trim();
        let texts =
            || self.body.iter().map(|(_, text)| text.trim()).filter(|text| !text.is_empty());
        if texts().any(|text| text == name) {
            return -1.5;
        }
        let mut vote = self.vote_of_lengths(name) + self.vote_of_quotes();
        let is_word = |text: &str| WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
        let mut parts = name.split(['_', ' ', '-']);
        if is_word(name) || parts.any(is_word) {
            vote += 0.9;
        }
        if name.contains('_') && !texts().any(|text| text.contains('_')) {
            vote += 0.7;
        }
        let different: BTreeSet<&str> = texts().collect();
        if texts().count() >= 4 && different.len() * 2 <= texts().count() {
            vote += 0.5;
        }
        if texts().count() >= 3
            && texts().all(|text| text.contains(|c: char| c.is_ascii_digit()))
            && !name.contains(|c: char| c.is_ascii_digit())
        {
            vote += 0.8;
        }
        if name.len() > 60 { vote - 0.8 } else { vote }
    }

    /// Codes have one length, and their column's name another.
    fn vote_of_lengths(&self, name: &str) -> f64 {
        let mut lengths = self.body.iter().map(|(_, text)| text.trim().len());
        let Some(length) = lengths.next().filter(|length| *length > 0) else { return 0.0 };
        match self.body.len() >= 4 && lengths.all(|other| other == length) {
            true if name.len() == length => -0.4,
            true => 0.8,
            false => 0.0,
        }
    }

    fn vote_of_quotes(&self) -> f64 {
        let quoted = self.body.iter().filter(|(is_quoted, _)| *is_quoted).count();
        let is_other = match self.is_first_quoted {
            true => quoted == 0,
            false => quoted == self.body.len(),
        };
        if is_other && self.body.len() >= 2 { 0.6 } else { 0.0 }
    }
}

/// The sum of the votes, with the reason that counts most, as a sentence without its point.
pub(crate) fn votes(columns: &[Column<'_>], has_years: bool) -> (f64, String) {
    let votes: Vec<f64> = columns.iter().map(|column| column.vote(has_years)).collect();
    // Many columns of one kind say the same thing: twice as many are not twice as sure.
    let scale = (columns.len() as f64).max(4.0).sqrt() / 2.0;
    let mut sum: f64 = votes.iter().sum::<f64>() / scale;
    let names: BTreeSet<&str> = columns.iter().map(|column| column.first.trim()).collect();
    if names.len() < columns.len() {
        sum -= 0.3;
    }
    (sum, reason(columns, &votes, sum))
}

fn reason(columns: &[Column<'_>], votes: &[f64], sum: f64) -> String {
    let best = columns.iter().zip(votes).max_by(|a, b| (a.1 * sum).total_cmp(&(b.1 * sum)));
    let Some((column, _)) = best else { return "there are no columns".to_owned() };
    let example = column.body.first().map_or("", |(_, text)| text);
    let (first, example) = (shown(column.first), shown(example));
    match sum > 0.0 {
        true => format!("`{first}` looks like the name of a column with values as `{example}`"),
        false => format!("`{first}` in the first row looks like a value, as `{example}` below it"),
    }
}

fn shown(text: &str) -> String {
    const MOST: usize = 30;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}
