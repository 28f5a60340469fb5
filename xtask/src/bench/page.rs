//! The three files of the figures: all runs as JSON, the chart, and the table.
//!
//! In: what was measured, and the JSON of before. Out: the files, either beside the documentation,
//! where the table replaces what stands between two marks of the page, or in a folder of their own.

use std::path::{Path, PathBuf};

use super::options::Destination;
use super::record::{Record, Records};
use super::{chart, table};
use crate::failure::{Failure, failure};

const BEGIN: &str = "<!-- bench:begin -->";
const END: &str = "<!-- bench:end -->";
const CHART: &str = "![Wall time, processor time and memory, as multiples of the least of the \
                     others](performance.svg)";

/// The files, and the figures that they will have.
pub(super) struct Page {
    destination: Destination,
    records: Records,
}

impl Page {
    /// The page with the figures of before.
    pub(super) fn open(destination: &Destination) -> Result<Page, Failure> {
        let records = Records::read(&folder(destination).join("performance.json"))?;
        Ok(Page { destination: destination.clone(), records })
    }

    /// Takes a row's new figures, and keeps them as JSON at once.
    pub(super) fn take(&mut self, record: Record) -> Result<(), Failure> {
        self.records.take(record);
        self.write_file("performance.json", &self.records.to_json()?).map(drop)
    }

    /// Writes table and chart, and gives the table.
    pub(super) fn write(&self) -> Result<String, Failure> {
        let table = table::render(&self.records);
        let chart = chart::render(&self.records);
        let text = match &chart {
            Some(svg) => {
                self.write_file("performance.svg", svg)?;
                format!("{CHART}\n\n{table}")
            }
            None => table.clone(),
        };
        let page = match &self.destination {
            Destination::Folder(_) => text,
            Destination::Docs(folder) => put_into(&read(&folder.join("performance.md"))?, &text)?,
        };
        let path = self.write_file("performance.md", &page)?;
        eprintln!("== written: {}, and .json and .svg beside it", path.display());
        Ok(table)
    }

    fn write_file(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let folder = folder(&self.destination);
        let path = folder.join(name);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        match written {
            Ok(()) => Ok(path),
            Err(error) => failure(format!("{} cannot be written: {error}", path.display())),
        }
    }
}

fn folder(destination: &Destination) -> &Path {
    match destination {
        Destination::Docs(folder) | Destination::Folder(folder) => folder,
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .or_else(|error| failure(format!("{} cannot be read: {error}", path.display())))
}

/// The page with the text between its marks.
fn put_into(page: &str, text: &str) -> Result<String, Failure> {
    let around = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    match around {
        Some((before, after)) => Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", text.trim_end())),
        None => failure(format!("the page lacks {BEGIN} or, behind it, {END}; put both in again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = format!("# A\n\n{BEGIN}\nold\n{END}\n\nend\n");
        let expected = format!("# A\n\n{BEGIN}\nnew\n{END}\n\nend\n");
        assert_eq!(put_into(&page, "new\n\n").unwrap(), expected);
        assert_eq!(put_into(&expected, "new").unwrap(), expected);
        assert!(put_into("# A\n", "new").is_err());
        assert!(put_into(include_str!("../../../docs/performance.md"), "new").is_ok());
        assert!(put_into(&format!("{END}{BEGIN}"), "new").is_err());
    }

    #[test]
    fn figures_of_rows_that_are_not_measured_stay() {
        let folder = tempfile::tempdir().unwrap();
        let destination = Destination::Folder(folder.path().to_owned());
        for row in ["small", "growth", "small"] {
            let mut page = Page::open(&destination).unwrap();
            page.take(Record { row: row.to_owned(), ..Record::default() }).unwrap();
            page.write().unwrap();
        }
        let kept = Page::open(&destination).unwrap().records;
        let rows: Vec<&str> = kept.rows.iter().map(|record| record.row.as_str()).collect();
        assert_eq!(rows, ["growth", "small"]);
    }
}
