//! What the fields of a table tell: texts that look like NULL, decimal commas, and dates.

use std::collections::BTreeMap;

use crate::cell::{Kind, Mark, NULLS, kind, number};
use crate::dates::{DateColumn, Dates};
use crate::findings::{DecimalColumn, NullText};
use crate::reading::{Quoting, Reading, Row};

/// Texts that say NULL wherever they stand; the others do so among values only.
const ALWAYS: [&str; 8] = ["NULL", "null", "\\N", "NA", "N/A", "#N/A", "NaN", "(null)"];

/// Counts of the fields, column by column.
#[derive(Default)]
pub(crate) struct Values {
    columns: Vec<Counts>,
}

#[derive(Default)]
struct Counts {
    values: u64,
    texts: u64,
    nulls: BTreeMap<&'static str, u64>,
    commas: u64,
    points: u64,
    /// Numbers whose comma may be either.
    unclear: u64,
    digits: (usize, usize),
    has_groups: bool,
    dates: Dates,
}

impl Values {
    /// Adds rows of as many fields as the table has.
    pub(crate) fn add<'r>(
        &mut self,
        reading: &Reading<'_>,
        rows: impl Iterator<Item = &'r Row>,
        width: usize,
    ) {
        self.columns.resize_with(width, Counts::default);
        for row in rows.filter(|row| row.width() == width) {
            for (cell, counts) in reading.cells(row).iter().zip(&mut self.columns) {
                if cell.quoting != Quoting::Broken {
                    counts.add(reading.raw(cell).trim(), cell.quoting == Quoting::Quoted);
                }
            }
        }
    }

    /// The texts that look like NULL, the most frequent first.
    pub(crate) fn null_texts(&self, names: &[String]) -> Vec<NullText> {
        let mut found: Vec<NullText> = Vec::new();
        for (counts, name) in self.columns.iter().zip(names) {
            let is_of_values = counts.values > 0 && counts.values >= counts.texts * 9;
            for (text, count) in &counts.nulls {
                if !is_of_values && !ALWAYS.contains(text) {
                    continue;
                }
                match found.iter_mut().find(|known| known.text == *text) {
                    Some(known) => known.count += count,
                    None => found.push(NullText {
                        text: (*text).to_owned(),
                        count: *count,
                        column: name.clone(),
                    }),
                }
            }
        }
        found.sort_by_key(|null| std::cmp::Reverse(null.count));
        found
    }

    /// The columns that have a decimal comma.
    pub(crate) fn decimal_commas(&self, names: &[String]) -> Vec<DecimalColumn> {
        let columns = self.columns.iter().zip(names);
        let with = columns.filter(|(counts, _)| counts.has_decimal_comma());
        with.map(|(counts, name)| DecimalColumn {
            name: name.clone(),
            count: counts.commas,
            digits: counts.digits,
            has_groups: counts.has_groups,
        })
        .collect()
    }

    /// The columns of dates that only a format can tell.
    pub(crate) fn dates(&self, names: &[String]) -> Vec<DateColumn> {
        let columns = self.columns.iter().zip(names);
        columns.filter_map(|(counts, name)| counts.dates.column(name)).collect()
    }

    /// A column whose commas may part groups of digits or the fraction.
    pub(crate) fn unclear_comma<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        let unclear = |counts: &Counts| {
            counts.unclear > 0 && counts.commas + counts.points == 0 && counts.texts == 0
        };
        self.columns.iter().zip(names).find(|(counts, _)| unclear(counts)).map(|(_, name)| name)
    }
}

impl Counts {
    fn add(&mut self, text: &str, is_quoted: bool) {
        let kind = kind(text);
        if kind != Kind::Empty && (kind != Kind::Null || is_quoted) {
            self.dates.add(text);
        }
        match kind {
            Kind::Empty => {}
            Kind::Null if is_quoted => self.texts += 1,
            Kind::Null => {
                let known = NULLS.iter().find(|known| **known == text);
                known.into_iter().for_each(|known| *self.nulls.entry(known).or_default() += 1);
            }
            Kind::Text => self.texts += 1,
            Kind::Number => self.add_number(text),
            _ => self.values += 1,
        }
    }

    fn add_number(&mut self, text: &str) {
        self.values += 1;
        let Some(number) = number(text) else { return };
        match number.mark {
            Mark::Comma => self.commas += 1,
            Mark::Point => self.points += 1,
            Mark::CommaOrGroups => self.unclear += 1,
            Mark::None => {}
        }
        let (before, behind) = number.digits;
        self.digits = (self.digits.0.max(before), self.digits.1.max(behind));
        self.has_groups |= number.has_groups;
    }

    fn has_decimal_comma(&self) -> bool {
        self.commas > 0 && self.points == 0 && self.texts * 9 <= self.values
    }
}
