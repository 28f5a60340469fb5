//! The files that are measured: TPC-H `lineitem`, and five shapes that strain one thing each.
//!
//! Each is made once for each scale, and is the same on every machine. A process of its own makes
//! it: what `lineitem` is drawn from takes 300 MB of memory, and Linux counts the memory of the
//! process that starts a program to the peak of that program.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

use super::fields::{Chance, push, push_day, push_decimal, push_moment, push_quoted, push_words};
use crate::failure::{Failure, failure};
use crate::run::{run, target};

/// The word of the command line that makes a file; this program calls itself so.
pub(super) const MAKE: &str = "make-file";

/// A file that is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// Its size, in multiples of the usual one.
    pub(super) scale: f64,
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 16 columns of all kinds; 766 MB at scale 1.
    LineItem,
    /// Strange in one way; about 250 MB at scale 1.
    Generated(Generated),
}

/// A file that is strange in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Generated {
    /// 200 columns.
    Wide,
    /// Texts in quotes, with delimiters, doubled quotes and line ends in them.
    Quoted,
    /// Texts of 200 to 1,500 bytes.
    LongTexts,
    /// 20 columns of decimals, with two, four or six digits behind the point.
    Decimals,
    /// 10 columns of moments.
    Timestamps,
}

/// A file that is there.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// What the file is, in words.
    pub(super) title: String,
    pub(super) rows: u64,
    pub(super) size_bytes: u64,
}

impl Generated {
    const ALL: [Generated; 5] = [
        Generated::Wide,
        Generated::Quoted,
        Generated::LongTexts,
        Generated::Decimals,
        Generated::Timestamps,
    ];

    /// So many rows make about 250 MB.
    fn rows(self) -> u64 {
        match self {
            Generated::Wide => 158_000,
            Generated::Quoted => 1_480_000,
            Generated::LongTexts => 147_000,
            Generated::Decimals => 1_160_000,
            Generated::Timestamps => 1_215_000,
        }
    }

    /// With the first one, which is the row's number.
    fn columns(self) -> usize {
        match self {
            Generated::Wide => 200,
            Generated::Quoted => 10,
            Generated::LongTexts => 4,
            Generated::Decimals => 21,
            Generated::Timestamps => 11,
        }
    }

    fn push_field(self, line: &mut String, column: usize, row: u64, chance: &mut Chance) {
        match (self, column) {
            (_, 0) => push(line, format_args!("{row}")),
            (Generated::Wide, _) => match column % 4 {
                0 => push(line, format_args!("{}", chance.below(100_000))),
                1 => push_decimal(line, 2, chance),
                2 => push_words(line, 1, chance),
                _ => push_day(line, chance),
            },
            (Generated::Quoted, 1) => push(line, format_args!("{}", chance.below(1_000_000))),
            (Generated::Quoted, _) => push_quoted(line, chance),
            (Generated::LongTexts, 1) => push_words(line, 2, chance),
            (Generated::LongTexts, _) => {
                let words = 30 + chance.below(200);
                push_words(line, words, chance);
            }
            (Generated::Decimals, _) => push_decimal(line, [2, 2, 4, 6][column % 4], chance),
            (Generated::Timestamps, _) => push_moment(line, chance),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Generated::Wide => "200 columns",
            Generated::Quoted => "quoted texts",
            Generated::LongTexts => "long texts",
            Generated::Decimals => "decimals",
            Generated::Timestamps => "timestamps",
        }
    }
}

impl Kind {
    fn name(self) -> String {
        match self {
            Kind::LineItem => "lineitem".to_owned(),
            Kind::Generated(generated) => format!("{generated:?}").to_lowercase(),
        }
    }

    fn named(name: &str) -> Option<Kind> {
        let generated = Generated::ALL.into_iter().map(Kind::Generated);
        std::iter::once(Kind::LineItem).chain(generated).find(|kind| kind.name() == name)
    }
}

impl Shape {
    pub(super) fn lineitem(scale: f64) -> Shape {
        Shape { kind: Kind::LineItem, scale }
    }

    /// The file, which is made if it is not there.
    pub(super) fn source(self) -> Result<Source, Failure> {
        let (path, rows) = self.paths();
        if !path.exists() || !rows.exists() {
            eprintln!("generating {}", path.display());
            let program = std::env::current_exe();
            let program = program.or_else(|error| failure(format!("no path to xtask: {error}")))?;
            let mut make = Command::new(program);
            run(make.args(["bench", MAKE, &self.kind.name(), &self.scale.to_string()]))?;
        }
        let counted = std::fs::read_to_string(&rows).ok().and_then(|text| text.parse().ok());
        let Some(rows) = counted else {
            return failure(format!("{} has no number; remove it", rows.display()));
        };
        let size_bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
        Ok(Source { path, title: self.title(size_bytes, rows), rows, size_bytes })
    }

    /// The file, and the file with the number of its rows.
    pub(super) fn paths(self) -> (PathBuf, PathBuf) {
        let name = format!("{}-{}", self.kind.name(), self.scale);
        let folder = target().join("bench");
        (folder.join(format!("{name}.csv")), folder.join(format!("{name}.rows")))
    }

    fn title(self, size_bytes: u64, rows: u64) -> String {
        let what = match self.kind {
            Kind::LineItem => format!("`lineitem` at scale {}", self.scale),
            Kind::Generated(generated) => generated.title().to_owned(),
        };
        let megabytes = size_bytes as f64 / 1e6;
        let digits = if megabytes < 10.0 { 1 } else { 0 };
        format!("{what}, {megabytes:.digits$} MB, {} rows", grouped(rows))
    }

    /// Writes the file's rows, and gives their number.
    fn write(self, path: &Path) -> std::io::Result<u64> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let rows = match self.kind {
            Kind::LineItem => write_lineitem(&mut file, self.scale)?,
            Kind::Generated(generated) => write_generated(&mut file, generated, self.scale)?,
        };
        file.flush().map(|()| rows)
    }
}

/// A number with a comma before each three digits, such as 6,001,215.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Makes the file that these words name, such as `lineitem 1`.
pub(super) fn make(words: &[String]) -> Result<(), Failure> {
    let [name, scale] = words else { return failure(format!("{MAKE} wants a name and a scale")) };
    let (Some(kind), Ok(scale)) = (Kind::named(name), scale.parse()) else {
        return failure(format!("{MAKE} knows no `{name} {scale}`"));
    };
    let shape = Shape { kind, scale };
    let (path, rows) = shape.paths();
    // Under another name until it is complete, so that a file that is there is whole.
    let unfinished = path.with_extension("unfinished");
    let written = std::fs::create_dir_all(path.parent().unwrap_or(&path))
        .and_then(|()| shape.write(&unfinished))
        .and_then(|counted| std::fs::write(&rows, counted.to_string()))
        .and_then(|()| std::fs::rename(&unfinished, &path));
    written.or_else(|error| {
        let path = path.display();
        failure(format!("{path} cannot be written; is there room on the disk? ({error})"))
    })
}

fn write_lineitem(file: &mut impl Write, scale: f64) -> std::io::Result<u64> {
    writeln!(file, "{}", LineItemCsv::header())?;
    let mut rows = 0;
    for item in LineItemGenerator::new(scale, 1, 1).iter() {
        writeln!(file, "{}", LineItemCsv::new(item))?;
        rows += 1;
    }
    Ok(rows)
}

fn write_generated(
    file: &mut impl Write,
    generated: Generated,
    scale: f64,
) -> std::io::Result<u64> {
    let rows = (generated.rows() as f64 * scale).ceil() as u64;
    let names: Vec<String> = (0..generated.columns()).map(|column| format!("c{column}")).collect();
    writeln!(file, "{}", names.join(","))?;
    let (mut chance, mut line) = (Chance::new(), String::new());
    for row in 0..rows {
        line.clear();
        for column in 0..generated.columns() {
            if column > 0 {
                line.push(',');
            }
            generated.push_field(&mut line, column, row, &mut chance);
        }
        line.push('\n');
        file.write_all(line.as_bytes())?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_file_has_its_rows_and_columns() {
        for generated in Generated::ALL {
            let mut bytes = Vec::new();
            let rows = write_generated(&mut bytes, generated, 10.0 / generated.rows() as f64);
            assert_eq!(rows.unwrap(), 10, "{generated:?}");
            let text = String::from_utf8(bytes).unwrap();
            let header = text.lines().next().unwrap_or_default();
            assert_eq!(header.split(',').count(), generated.columns(), "{generated:?}");
            if generated != Generated::Quoted {
                let fields = |line: &str| line.split(',').count() == generated.columns();
                assert!(text.lines().count() == 11 && text.lines().all(fields), "{generated:?}");
            }
        }
    }

    #[test]
    fn numbers_are_read_in_threes() {
        let numbers = [7, 150, 1_000, 60_175, 6_001_215].map(grouped);
        assert_eq!(numbers, ["7", "150", "1,000", "60,175", "6,001,215"]);
    }

    #[test]
    fn each_kind_is_found_by_its_name() {
        let kinds = Generated::ALL.map(Kind::Generated);
        assert!(kinds.into_iter().all(|kind| Kind::named(&kind.name()) == Some(kind)));
        assert_eq!(Kind::named("longtexts"), Some(Kind::Generated(Generated::LongTexts)));
        assert_eq!(Kind::named("parts"), None);
    }
}
