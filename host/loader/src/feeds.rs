//! Which table a file belongs to: the patterns of `[tables.NAME] files`, held against the names of
//! files below `data/in/`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use glob::{MatchOptions, Pattern};
use loader_model::error::{Error, Kind, Result};

use crate::job::Project;

/// `*` stands for anything but a folder, as in a shell; `**` for folders, too.
pub(crate) const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// What a pattern may have that stands for letters.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// The tables that have files of their own, in the order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feeds {
    feeds: Vec<Feed>,
    /// The places of feeds in the list, by the letters with which one of their patterns begins, and
    /// those by their number. So a name is held against the few patterns that begin as it does, and
    /// not against those of thousands of tables.
    beginnings: BTreeMap<usize, HashMap<String, Vec<usize>>>,
}

/// A table and the files that are its own.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    /// The table's name, as the settings file has it.
    pub(crate) table: String,
    patterns: Vec<FilePattern>,
}

#[derive(Clone, Debug)]
enum FilePattern {
    /// All files of a folder and of those below it.
    Folder(String),
    Names(Pattern),
}

/// Whose a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner<'a> {
    Table(&'a str),
    Nobody,
    /// More than one table takes it.
    Several(Vec<&'a str>),
}

impl Feeds {
    /// The feeds of the settings file. Errors: `Config` for a pattern that cannot be read.
    pub(crate) fn of(project: &Project) -> Result<Feeds> {
        let feed = |table: &str| -> Result<Feed> {
            let patterns = project.files_of(table).iter().map(|text| pattern(table, text));
            Ok(Feed { table: table.to_owned(), patterns: patterns.collect::<Result<_>>()? })
        };
        let tables = || project.tables().filter(|table| !project.files_of(table).is_empty());
        one_each(tables(), &project.schema()?)?;
        Ok(Feeds::of_feeds(tables().map(feed).collect::<Result<_>>()?))
    }

    fn of_feeds(feeds: Vec<Feed>) -> Feeds {
        let mut beginnings: BTreeMap<usize, HashMap<String, Vec<usize>>> = BTreeMap::new();
        for (place, feed) in feeds.iter().enumerate() {
            for pattern in &feed.patterns {
                let beginning = pattern.beginning().to_owned();
                let of_length = beginnings.entry(beginning.len()).or_default();
                of_length.entry(beginning).or_default().push(place);
            }
        }
        Feeds { feeds, beginnings }
    }

    /// Whether no table has files of its own.
    pub(crate) fn are_none(&self) -> bool {
        self.feeds.is_empty()
    }

    /// The tables.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.feeds.iter().map(|feed| feed.table.as_str())
    }

    /// Whose a file is. `name`: behind `data/in/`.
    pub(crate) fn owner(&self, name: &str) -> Owner<'_> {
        let alike = self
            .beginnings
            .iter()
            .filter_map(|(length, of_length)| of_length.get(name.get(..*length)?));
        let places: BTreeSet<usize> = alike.flatten().copied().collect();
        let feeds = places.into_iter().filter_map(|place| self.feeds.get(place));
        let mut takers = feeds.filter(|feed| feed.takes(name));
        match (takers.next(), takers.next()) {
            (None, _) => Owner::Nobody,
            (Some(only), None) => Owner::Table(&only.table),
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(takers);
                Owner::Several(all.map(|feed| feed.table.as_str()).collect())
            }
        }
    }
}

/// Refuses two feeds of one table: they would be loaded beside each other, and in no order.
/// `schema`: that of tables whose names have none.
fn one_each<'a>(tables: impl Iterator<Item = &'a str>, schema: &str) -> Result<()> {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for name in tables {
        let target = if name.contains('.') { name.to_owned() } else { format!("{schema}.{name}") };
        if let Some(other) = known.insert(target.to_ascii_lowercase(), name) {
            let fact = format!(
                "tables.{other} and tables.{name} have `files`, and both are {target}; put all \
                 patterns into one of them"
            );
            return Err(Error::new(Kind::Config, fact));
        }
    }
    Ok(())
}

impl Feed {
    fn takes(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| match pattern {
            FilePattern::Folder(folder) => name.starts_with(folder),
            FilePattern::Names(names) => names.matches_with(name, MATCHING),
        })
    }
}

impl FilePattern {
    /// The letters with which every name begins that it takes.
    fn beginning(&self) -> &str {
        match self {
            FilePattern::Folder(folder) => folder,
            FilePattern::Names(names) => names.as_str().split(WILDCARDS).next().unwrap_or_default(),
        }
    }
}

fn pattern(table: &str, text: &str) -> Result<FilePattern> {
    let wrong = |why: &str| {
        let fact = format!("tables.{table}.files has `{text}`, {why}");
        Err(Error::new(Kind::Config, fact))
    };
    let below = text.trim_start_matches('/');
    let below = below.strip_prefix("data/in/").unwrap_or(below);
    if below.contains("://") {
        return wrong("an address; name files as they lie below data/in/, such as orders_*.csv");
    }
    let has_wildcard = below.contains(WILDCARDS);
    match below.strip_suffix('/') {
        _ if below.is_empty() => wrong("which names nothing; `**` takes every file"),
        Some(_) if !has_wildcard => Ok(FilePattern::Folder(below.to_owned())),
        Some(folder) => wrong(&format!("a folder with a wildcard; write {folder}/**")),
        None => match Pattern::new(below) {
            Ok(names) => Ok(FilePattern::Names(names)),
            Err(error) => wrong(&format!("which is no pattern: {}", error.msg)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feeds(tables: &[(&str, &[&str])]) -> Result<Feeds> {
        let feed = |(table, patterns): &(&str, &[&str])| -> Result<Feed> {
            let patterns = patterns.iter().map(|text| pattern(table, text));
            Ok(Feed { table: (*table).to_owned(), patterns: patterns.collect::<Result<_>>()? })
        };
        Ok(Feeds::of_feeds(tables.iter().map(feed).collect::<Result<_>>()?))
    }

    #[test]
    fn a_file_belongs_to_the_one_table_that_takes_it() {
        let feeds = feeds(&[
            ("orders", &["orders_*.csv*", "eu/orders/"]),
            ("lines", &["order_lines_????.csv", "**/lines-[0-9]*"]),
            ("all_of_eu", &["/data/in/eu/**"]),
        ]);
        let feeds = feeds.expect("patterns");
        let check = |name: &str, expected: Owner<'_>| assert_eq!(feeds.owner(name), expected);
        check("orders_2025.csv", Owner::Table("orders"));
        check("orders_2025.csv.gz", Owner::Table("orders"));
        check("Orders_2025.csv", Owner::Nobody);
        check("us/orders_2025.csv", Owner::Nobody);
        check("order_lines_2025.csv", Owner::Table("lines"));
        check("order_lines_25.csv", Owner::Nobody);
        check("lines-1.csv", Owner::Table("lines"));
        check("a/b/lines-1.csv", Owner::Table("lines"));
        check("eu/x.csv", Owner::Table("all_of_eu"));
        check("eu/orders/deep/x.csv", Owner::Several(vec!["orders", "all_of_eu"]));
        check("", Owner::Nobody);
        check("\u{fc}", Owner::Nobody);
    }

    #[test]
    fn a_table_has_one_feed() {
        assert!(one_each(["orders", "sales.orders"].into_iter(), "public").is_ok());
        let refused = one_each(["orders", "Sales.Orders"].into_iter(), "sales");
        let refused = refused.expect_err("is refused").to_string();
        insta::assert_snapshot!(refused, @"tables.orders and tables.Sales.Orders have `files`, and both are Sales.Orders; put all patterns into one of them");
    }

    #[test]
    fn a_pattern_that_cannot_be_meant_is_refused() {
        let refused = |text: &str| feeds(&[("t", &[text])]).expect_err("is refused").to_string();
        insta::assert_snapshot!(refused("s3://b/data/in/x.csv"), @"tables.t.files has `s3://b/data/in/x.csv`, an address; name files as they lie below data/in/, such as orders_*.csv");
        insta::assert_snapshot!(refused("eu/*/"), @"tables.t.files has `eu/*/`, a folder with a wildcard; write eu/*/**");
        insta::assert_snapshot!(refused("/"), @"tables.t.files has `/`, which names nothing; `**` takes every file");
        insta::assert_snapshot!(refused("a[b"), @"tables.t.files has `a[b`, which is no pattern: invalid range pattern");
        insta::assert_snapshot!(refused("a**"), @"tables.t.files has `a**`, which is no pattern: recursive wildcards must form a single path component");
    }
}
